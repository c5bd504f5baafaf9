"""Import torchvision also where its compiled operators do not fit the installed torch.

A CPU-only torch beside torchvision's ordinary wheel lacks `torchvision::nms`, and the import
fails although nothing here detects boxes. Declaring the two schemas is enough to import it.
"""

import sys

import torch

_declared: list[torch.library.Library] = []  # a library that is collected takes its schemas along

try:
    from torchvision.models import MobileNetV3, mobilenet_v3_small
    from torchvision.models.mobilenetv3 import InvertedResidual
    from torchvision.ops.misc import SqueezeExcitation
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declared.append(torch.library.Library("torchvision", "DEF"))  # type: ignore[no-untyped-call]
    for schema in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        _declared[0].define(schema)  # type: ignore[no-untyped-call]
    from torchvision.models import MobileNetV3, mobilenet_v3_small
    from torchvision.models.mobilenetv3 import InvertedResidual
    from torchvision.ops.misc import SqueezeExcitation

__all__ = ["InvertedResidual", "MobileNetV3", "SqueezeExcitation", "mobilenet_v3_small"]
