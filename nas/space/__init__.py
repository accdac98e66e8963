"""What a search varies: families of random graphs, own graphs, and the wirings that parameters stand for."""
