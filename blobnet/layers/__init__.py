"""All layer types, a folder a family, a file a type; importing this package registers them."""

import importlib
import pkgutil

for _module in pkgutil.walk_packages(__path__, __name__ + "."):
    importlib.import_module(_module.name)
