"""Layer: what Python layers inherit from, and what a net shows of its other layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from google.protobuf.message import Message

from blobnet.core.blob import Blob as CoreBlob
from blobnet.core.layer import Layer as CoreLayer
from blobnet.errors import NetError
from blobnet.layers.python._base import BlobList, DeviceView
from blobnet.pycaffe.blob import Blob, BlobVec, Face, Faces, RawBlobVec, write_back
from blobnet.pycaffe.vectors import Vector


class HostView(DeviceView):
    """Shows a Python layer its blobs as those of pycaffe."""

    def __init__(self):
        self._faces = Faces()

    def make(self, cls: type, layer: CoreLayer) -> Layer:
        return cls(layer.param)

    def blobs(self, blobs: Sequence[CoreBlob]) -> RawBlobVec:
        return RawBlobVec(self._faces[blob] for blob in blobs)

    def params(self, blobs: BlobList) -> BlobVec:
        return BlobVec(blobs)

    def done(self) -> None:
        write_back()


class Layer:
    """The base class of layers in Python, for layer { type: "Python" python_param { module: … layer: … } }.

    A subclass writes setup(bottom, top), reshape(bottom, top), forward(bottom, top) and
    backward(top, propagate_down, bottom). From setup on it has param_str, phase and blobs, with blobs.add_blob(*shape).
    """

    blob_view = HostView  # what the layer type Python makes of this class
    type = "Python"
    param_str_ = cached_property(lambda self: self.param_str)  # as it was called at first; a class may have its own

    def __init__(self, param: Message):
        """`param` is the LayerParameter."""

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Called once, when the net is built."""

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Give the tops their shapes; called before every forward."""
        raise _missing(self, "reshape")

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Write the data of the tops."""
        raise _missing(self, "forward")


class BuiltIn(Face, Layer):
    """A layer that is not written in Python by the user: `type` and `blobs`."""

    def __init__(self, core: CoreLayer):
        self.core, self.type, self.blobs = core, core.type, BlobVec(core.blobs)

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the options again, as for these blobs; the parameters stay."""
        write_back()
        self.core.setup_again([blob.core for blob in bottom], [blob.core for blob in top])

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Give these tops the shapes that follow from these bottoms; the net does its own before it runs the layer."""
        write_back()
        self.core.update_shapes([blob.core for blob in bottom], [blob.core for blob in top])


class LayerVec(Vector):
    """The layers of a net."""

    kind = Layer


def show_layer(core: CoreLayer) -> Layer:
    """The object that pycaffe shows for a layer: the user's own for a Python layer."""
    user = getattr(core, "user", None)
    return user if isinstance(user, Layer) else BuiltIn(core)


def _missing(layer: Layer, method: str) -> NetError:
    return NetError(f"layer {getattr(layer, 'name', '')!r} ({layer.type})",
                    f"class {type(layer).__qualname__!r} has no method {method!r}",
                    hint="a layer has setup, reshape, forward, backward")
