"""Files for microcontrollers: integers throughout, and as little memory as possible."""
