"""How closely a file follows its model, and the page that says so."""
