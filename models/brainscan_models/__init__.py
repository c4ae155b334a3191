"""Networks that turn windows of EEG into seizure logits. Knows no files and no EEG containers.

Importing this package loads no torch: `config`, `inventory` and `registry` are plain Python; `registry.build`
brings the network in.
"""

from __future__ import annotations
