"""What others do, as fairly as it can be run here."""
