"""Clear letters: composed by a branch, approved by its town, published as a page and on paper."""
