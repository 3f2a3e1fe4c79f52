"""What the scripts of this folder share: running, results, tables, data and peers."""
