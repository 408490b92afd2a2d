"""What people answer: opinions, their cases up to the author's verdict, and who may see which."""
