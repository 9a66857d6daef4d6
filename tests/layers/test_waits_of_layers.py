"""The host does not wait for a GPU in a forward or backward of a layer, but for those that compute on the host."""

import fakecupy

from blobnet.core.layer import Layer

ON_HOST = {  # why a type waits
    "DetectionOutput": "boxes are suppressed on the host", "YoloDetectionOutput": "as DetectionOutput",
    "Yolov3DetectionOutput": "as DetectionOutput", "Proposal": "as DetectionOutput",
    "DetectionEvaluate": "detections are sorted and matched on the host", "EvalDetection": "as DetectionEvaluate",
    "RegionEvalDetection": "as DetectionEvaluate", "MultiBoxLoss": "priors are matched and mined on the host",
    "RegionLoss": "boxes are matched on the host", "Yolov3": "as RegionLoss",
    "ROIPooling": "bins of boxes are found on the host", "PSROIPooling": "as ROIPooling",
    "YoloSeg": "refuses counts that leave no background", "Filter": "the shape of its tops depends on what it reads",
    "BatchTripletLoss": "the shapes of its arrays depend on the labels", "HDF5Output": "writes a file",
    "Python": "may do anything"}


def test_a_layer_waits_for_nothing(case, stand_in):
    alone = case.build(dtype="float32", device="gpu")
    layer = alone.layer
    with layer.context.in_use():
        alone.forward()
        alone.prepare()
        for blob in alone.top:
            blob.diff.fill(0.5)
        fakecupy.reset()
        layer.update_shapes(alone.bottom, alone.top)
        layer.forward(alone.bottom, alone.top)
        if type(layer).backward is not Layer.backward:
            layer.backward(alone.top, alone.differentiable(), alone.bottom)
        found = dict(fakecupy.sites)
    layer.context.doubts.settle()
    assert found == {} or layer.type in ON_HOST
