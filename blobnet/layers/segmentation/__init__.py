"""Maps of classes, a class for every place: enlarging them and measuring them."""
