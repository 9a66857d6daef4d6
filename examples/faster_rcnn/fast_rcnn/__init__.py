"""What the layers of Fast and Faster R-CNN share: settings, boxes, samples of boxes."""
