"""What the templates of the staff pages are given: view objects without any logic left in them."""
