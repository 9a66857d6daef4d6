import pytest

from blobnet.solvers import get_solver

# gradient of the loss = the weight, which starts at 1
SCALAR_NET = """
name: "scalar"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 1 dim: 1 } data_filler { value: 1 } data_filler { value: 0 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" PARAM inner_product_param {
  num_output: 1 bias_term: false weight_filler { value: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
"""
# random data and dropout: another step, another gradient
RANDOM_NET = """
name: "random"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 6 dim: 5 } shape { dim: 6 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "drop" type: "Dropout" bottom: "x" top: "drop" }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip" inner_product_param {
  num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" loss_weight: 2 }
"""


@pytest.fixture
def make_solver(tmp_path, monkeypatch):
    """Builds a solver from the text of its file, in a folder of its own that is the current one."""
    monkeypatch.chdir(tmp_path)

    def make(text, net=SCALAR_NET, file="solver.prototxt", **kwargs):
        (tmp_path / "net.prototxt").write_text(net.replace("PARAM", kwargs.pop("param", "")))
        words = text.split()
        defaults = [part for part in ("base_lr: 0.1", 'lr_policy: "fixed"') if part.split()[0] not in words]
        if not {"net:", "net_param", "train_net:", "train_net_param"} & set(words):
            defaults.append('net: "net.prototxt"')
        (tmp_path / file).write_text(" ".join([*defaults, text]))
        return get_solver(tmp_path / file, **kwargs)

    return make


@pytest.fixture
def weight():
    """Reads the one weight of the scalar net."""
    return lambda solver: float(solver.net.params["ip"][0].data.reshape(()))


@pytest.fixture
def scalar_net():
    return SCALAR_NET


@pytest.fixture
def random_net():
    return RANDOM_NET
