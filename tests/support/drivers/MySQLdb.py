"""PyMySQL in the place of mysqlclient, for processes that have this directory in their path."""

from __future__ import annotations

import pymysql

# Django compares it with mysqlclient's.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()
