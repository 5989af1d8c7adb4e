"""Reports about converted files: verification against the network, fidelity, and the HTML page."""
