"""Users' own tables: kept, listed, shared, within a quota."""

from skydex.mydb.mydb import MyDB
from skydex.mydb.own_table import Fills, Owner, OwnTable, Quota
from skydex.mydb.shelf import MYDB
from skydex.mydb.users import SharedTable, UserTables

__all__ = ["MYDB", "Fills", "MyDB", "OwnTable", "Owner", "Quota", "SharedTable", "UserTables"]
