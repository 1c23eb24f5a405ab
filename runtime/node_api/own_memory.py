"""The shared memory of a node, as its dataflow asks for it.

What is kept in it, and for how long, is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.shm.pool import DEFAULT_LIMIT, Pool

if TYPE_CHECKING:
    from doraflow_runtime.contract import NodeWiring


def make_pool(node: NodeWiring) -> Pool:
    """Make the memory. Raises OSError if what is to be ready cannot be had."""
    limit = node.shared_memory or DEFAULT_LIMIT
    pool = Pool(limit, node.shared_memory_ready, huge_pages=node.huge_pages)
    if node.huge_pages and not pool.has_huge_pages:
        text = "the kernel gives no huge pages for shared memory; ordinary ones are used"
        log_lines.write("warn", text, target="doraflow_runtime")
    return pool
