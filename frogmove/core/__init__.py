"""The transfer library: selection, plan, move protocol, journal."""
