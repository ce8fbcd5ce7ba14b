"""The first reference data of an installation: one warehouse, one item. Pure."""

REFERENCE = """
revision = 1
[[warehouses]]
code = "SH1"
name = "Shanghai"
name_zh = "上海"
locations = [{ code = "DOCK-1", kind = "dock_door" }, { code = "BIN-1", kind = "bin" }]
[[items]]
code = "BOLT"
name = "Bolt"
name_zh = "螺栓"
unit = "C62"
barcodes = [{ gtin = "04006381333931" }]
"""
