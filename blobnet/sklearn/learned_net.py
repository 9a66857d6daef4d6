"""A net that has learned: what it makes of arrays, and how it is kept in a pickle."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.core.without_data import shapes_in
from blobnet.hashing.vector_net import values_of
from blobnet.netdef.load import load_filtered
from blobnet.proto.messages import message_class

PIECE = 256  # rows that go through the net at a time


class LearnedNet:
    """A net in the TEST phase with the weights of another, of the same file, that was trained.

    definition: the NetParameter; inputs: the shapes of a batch of one item, by the blobs that it goes into, the one
    with the features first; blob: what is asked for. A pickle holds the bytes of the definition and the arrays of the
    weights; the net is built when it is needed.
    """

    def __init__(self, definition: Message, trained: Net, inputs: dict[str, tuple[int, ...]], blob: str):
        self.definition, self.inputs, self.blob = definition.SerializePartialToString(), inputs, blob
        self.device, self.dtype = trained.device, str(trained.dtype)
        self.take_weights(trained)

    def take_weights(self, trained: Net) -> None:
        """Copy the weights of `trained`."""
        self.weights = [(layer.name, [np.array(to_host(blob.data)) for blob in layer.blobs])
                        for layer in trained.layers if layer.blobs]
        self._net: Net | None = None

    def give_weights(self, net: Net) -> None:
        """Copy the weights into the layers of the same names."""
        with net.context.on_device():
            for name, arrays in self.weights:
                for blob, array in zip(net.params.get(name, []), arrays):
                    blob.data[...] = net.xp.asarray(array)

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The values (N, K) of the blob for data (N, D)."""
        if self._net is None:
            definition = load_filtered(message_class("NetParameter").FromString(self.definition), TEST, 0, (), "")
            self._net = Net(definition, TEST, device=self.device, dtype=self.dtype,
                            inputs=shapes_in(definition, self.inputs))
            self.give_weights(self._net)
        name, (_, *shape) = next(iter(self.inputs.items()))
        found = values_of(self._net, self.blob, data.reshape(len(data), *shape), PIECE, name)
        return found.reshape(len(found), -1)

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_net": None}
