"""Python."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.python._base import BlobList, DeviceView, find_class

NEEDED = ("setup", "reshape", "forward")  # backward only where something below learns


@register
class Python(Layer):
    """Whatever a class of the user's computes.

    y = user.forward(x),   dx = user.backward(dy)

    Bottoms: any   Tops: any; one may be the bottom of its position if the class allows for it
    Params: those that the class adds in setup, `self.blobs.add_blob(*shape)`, filled with 0
    Options: module, a Python module in sys.path or the current folder; layer, the name of the class in it; param_str,
    a text for the class (""); share_in_parallel has no effect

    The module is imported, which runs its code, only if the net was built with python_layers=True (--python-layers of
    the commands), or by pycaffe's Net and solvers.

    The class is a plain one, made without arguments, or a subclass of blobnet.Layer or caffe.Layer. It has the methods
    `setup(bottom, top)`, called once, `reshape(bottom, top)`, called before every forward, `forward(bottom, top)`,
    `backward(top, propagate_down, bottom)`, and perhaps `seek(step)`, called when a run continues after that many
    forwards. It finds param_str, phase (0 TRAIN, 1 TEST) and blobs in `self`, after its constructor, and the layer's
    name, if it has no `name` of its own.
    Blobs are as in pycaffe: data, diff, shape, num, count, `reshape(*shape)`. On a GPU their arrays are CuPy's, but
    NumPy's, copied to and fro, for a subclass of caffe.Layer.

    Paper: none.
    Quirks: what the class raises passes through unchanged; what its module raises while it is imported is a NetError. A
    loss must be given a loss_weight, even if its class is a LossLayer. A class needs no backward if nothing below it
    learns.
    """

    options_field = "python_param"
    num_bottoms = num_tops = (0, None)
    in_place = True
    reshape_always = True
    replays = False  # its class may compute anything, on the host

    @classmethod
    def facts(cls, layer):
        return [f"{layer.python_param.module}.{layer.python_param.layer}"]

    def setup(self, bottom, top):
        options = self.options
        if not self.context.python_layers:
            raise NetError(self.where, f"asks for class {options.layer!r} of the Python module {options.module!r}, "
                           "whose code would run", hint="if you trust it, give --python-layers, in Python "
                           "python_layers=True")
        cls = find_class(options.module, options.layer, self.where)
        missing = [name for name in NEEDED if not callable(getattr(cls, name, None))]
        if missing:
            raise NetError(self.where, f"class {cls.__qualname__!r} has no method {missing[0]!r}",
                           hint="a layer has setup, reshape, forward, backward")
        self.view = getattr(cls, "blob_view", DeviceView)()
        self.user = user = self.view.make(cls, self)
        self.blobs = BlobList(self.xp, self.dtype)
        user.blobs = self.view.params(self.blobs)
        user.param_str, user.phase = options.param_str, self.phase
        if not hasattr(cls, "name") and "name" not in getattr(user, "__dict__", ()):
            user.name = self.name
        if isinstance(user, Layer):
            user._check_arity("bottom", user.num_bottoms, len(bottom))
            user._check_arity("top", user.num_tops, len(top))
        self._call("setup", bottom, top)
        self.param_propagate_down = [True] * len(self.blobs)

    def reshape(self, bottom, top):
        self._call("reshape", bottom, top)

    def forward(self, bottom, top):
        self._call("forward", bottom, top)

    def backward(self, top, propagate_down, bottom):
        if not hasattr(self.user, "backward"):
            return super().backward(top, propagate_down, bottom)
        self.user.param_propagate_down = self.param_propagate_down
        self.user.backward(self.view.blobs(top), propagate_down, self.view.blobs(bottom))
        self.view.done()

    def _call(self, method, bottom, top):
        getattr(self.user, method)(self.view.blobs(bottom), self.view.blobs(top))
        self.view.done()

    def seek(self, step):
        if hasattr(self.user, "seek"):
            self.user.seek(step)
