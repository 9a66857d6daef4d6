"""Where old scripts look for the messages: `from caffe.proto import caffe_pb2`."""

from blobnet.pycaffe.proto import caffe_pb2

__all__ = ["caffe_pb2"]
