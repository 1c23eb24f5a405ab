# The compiled core of the message path, as the runtime sees it.

VERSION: int
