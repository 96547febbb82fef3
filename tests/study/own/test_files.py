"""Someone's files are read, or refused in one sentence with file and line; nothing is dropped without being counted."""

import gzip

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsnn_tutorial import GSNN, PathwayGraph, attribution
from gsnn_tutorial.study.own.edges import read_edges
from gsnn_tutorial.study.own.example import write_example
from gsnn_tutorial.study.own.findings import Findings
from gsnn_tutorial.study.own.network import own_network
from gsnn_tutorial.study.own.sets import read_sets
from gsnn_tutorial.study.own.splits import OwnProblem
from gsnn_tutorial.wiring import Graph

TABLE = "drug,Δx,p38,batch\n" + "\n".join(f"{i % 3},{i / 7:.3f},{i * i},{'ab'[i % 2]}" for i in range(12)) + "\n"
NETWORK = "source,target,sign\na/b,7,1\n7,p38,-1\nα->β,7,1\np38,a/b,1\n"
SETS = "one\tx\ta/b\t7\tp38\ntwo\tx\tα->β\tP38\t7\n"
COLUMNS = "column,role,node\ndrug,input,a/b\nΔx,input,α->β\np38,output,\nbatch,group,\n"
GOOD = {"table": ("table.csv", TABLE), "network": ("network.csv", NETWORK), "sets": ("sets.gmt", SETS),
        "columns": ("columns.csv", COLUMNS)}  # fmt: skip


def files(folder, **changed):
    """Paths of the good files, some of them with another name or text; any other argument as it is."""
    paths = {kind: folder / value[0] if isinstance(value, tuple) else value for kind, value in (GOOD | changed).items()}
    for name, text in filter(lambda value: isinstance(value, tuple), (GOOD | changed).values()):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def counted(network, words):
    rows = network.report_table()
    rows = rows[rows["finding"].str.contains(words, regex=False)]
    return int(rows["count"].sum())


def test_names_are_free_and_the_result_is_what_a_gsnn_takes(tmp_path):
    own = own_network(**files(tmp_path))
    assert own.graph.function_nodes == ["a/b", "7", "α->β", "p38"]
    assert own.graph.output_nodes == ["p38 (measured)"] and "renamed" in own.report()
    model = GSNN(own.graph.edge_index_dict, own.graph.names, 2, own.depth)
    assert model(own.x).shape == own.y.shape == (12, 1)
    assert own.graph.membership().tolist() == [[1, 1, 0, 1], [0, 1, 1, 1]]
    assert own.groups.nunique() == 2 and own.graph.signs["7", "p38"] == -1


HEADS = ("from,to,effect", "source,target,mor", "from,to,consensus_sign", "source_genesymbol,target_genesymbol,weight")
SIF = "# a comment\na/b\tactivates\t7\n\n7\tinhibits\tp38\nα->β\t1\t7\np38\t+\ta/b\nalone\n"
SAME = {head: {"network": ("network.csv", NETWORK.replace("source,target,sign", head))} for head in HEADS} | {
    "sif": {"network": ("network.sif", SIF)},
    "comments": {kind: (name, f"# a comment\n\n{text}\n") for kind, (name, text) in GOOD.items()},
    "tabs and semicolons": {
        "network": ("network.tsv", NETWORK.replace(",", "\t")), "table": ("table.txt", TABLE.replace(",", ";")),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_other_files_say_the_same(tmp_path, name):
    one, other = own_network(**files(tmp_path)), own_network(**files(tmp_path, **SAME[name]))
    assert one.fingerprint() == other.fingerprint() and one.graph == other.graph


def test_dataframes_and_a_networkx_graph_are_read_as_their_files_are(tmp_path):
    paths = files(tmp_path)
    frames = {kind: pd.read_csv(paths[kind]) for kind in ("table", "network", "columns")}
    sets = read_sets(paths["sets"]).rename(columns={"set": "source", "member": "target"})
    G = nx.from_pandas_edgelist(frames["network"], edge_attr="sign", create_using=nx.DiGraph)
    one, other, third = own_network(**paths), own_network(**frames, sets=sets), own_network(**paths | {"network": G})
    assert one.graph == other.graph and one.membership.equals(other.membership)
    assert np.allclose(one.y, other.y) and list(one.x) == list(other.x)
    assert set(third.graph.edges) == set(one.graph.edges) and third.graph.signs == one.graph.signs


def test_a_column_of_the_network_that_says_nothing_is_counted(tmp_path):
    own = own_network(**files(tmp_path, network=("network.csv", NETWORK.replace("sign", "strength_of_belief"))))
    assert counted(own, "columns of the network that are not used") == 1
    assert counted(own_network(**files(tmp_path)), "columns of the network that are not used") == 0


def test_repeats_self_loops_contradictions_and_undirected_edges_are_counted():
    frame = pd.DataFrame(
        [("a", "b", 1, 1), ("a", "b", 1, 1), ("b", "b", 1, 1), ("b", "c", 1, 1), ("b", "c", -1, 1), ("c", "d", 1, 0)],
        columns=["source", "target", "sign", "is_directed"],
    )
    findings = Findings()
    edges = read_edges(frame, findings)
    assert list(zip(edges["source"], edges["target"], edges["sign"])) == [
        ("a", "b", 1), ("b", "c", 0), ("c", "d", 1), ("d", "c", 1)]  # fmt: skip
    count = findings.table().set_index("finding")["count"]
    assert count["edges from a node to itself (a GSNN adds these)"] == 1
    assert count["repeats of an edge, kept once"] == 2
    assert count["edges without a direction, taken both ways"] == 1
    assert count.filter(like="contradict").item() == 1
    assert count.filter(like="feedback").item() == 2


def test_sets_are_counted_where_they_are_dropped(tmp_path):
    sets = SETS + "nobody\tx\tq1\tq2\nlonely\tx\t7\nsame\tx\t7\ta/b\tp38\tP38\nall\tx\ta/b\t7\tp38\tα->β\n"
    own = own_network(**files(tmp_path, sets=("sets.gmt", sets)), largest=3, alike=0.5)
    assert list(own.membership.index) == ["one", "two"]
    for words in ("without a member", "fewer than 2", "more than 3", "same members as", "pairs of sets", "repeats"):
        assert counted(own, words) == 1, words
    assert counted(own, "genes in the sets are not in the network") == 2


def test_signed_sets_are_negative_weights(tmp_path):
    sets = "set,member,weight\none,a/b,1\none,7,-1\ntwo,p38,1\ntwo,7,2\n"
    own = own_network(**files(tmp_path, sets=("sets.csv", sets)))
    assert own.membership.loc["one", "7"] == own.graph.membership()[0, 1] == -1


def test_a_context_enters_many_nodes_and_reaches_none(tmp_path):
    columns = "column,role,node\ndrug,input,a/b\nΔx,input,*\nbatch,category,*outputs\nbatch,category,7\np38,output,\n"
    own = own_network(**files(tmp_path, columns=("columns.csv", columns)))
    entered = {name: {v for u, v in own.graph.edges if u == name} for name in own.graph.input_nodes}
    two, every = {"p38", "7"}, set(own.graph.function_nodes)
    assert entered == {"drug": {"a/b"}, "Δx": every, "batch=a": two, "batch=b": two}
    assert own.outputs.loc["p38 (measured)", ["inputs", "hops", "farthest"]].tolist() == [1, 3, 3]


def test_depth_is_counted_from_the_farthest_input(tmp_path):
    own = own_network(**files(tmp_path, columns=("columns.csv", COLUMNS.replace("α->β", "7"))))
    assert own.depth == 3
    assert own.outputs.loc["p38 (measured)", ["nearest", "hops", "farthest"]].tolist() == ["Δx", 2, 3]


def test_an_output_that_nothing_reaches_is_named_with_the_path_that_would_be_needed(tmp_path):
    network = NETWORK + "up,p38,1\nup,q,1\nfar,away,1\n"
    columns = COLUMNS + "y1,output,up\ny2,output,far\n"
    table = pd.read_csv(files(tmp_path)["table"]).assign(y1=range(12), y2=range(12, 0, -1))
    own = own_network(**files(tmp_path, network=("n.csv", network), columns=("c.csv", columns), table=table))
    assert own.outputs.loc["y1", "needed"] == "p38 -> up (so far the other way), on a/b -> 7 -> p38 -> up"
    assert "no path leads there" in own.outputs.loc["y2", "needed"]
    assert np.isinf(own.outputs.loc["y1", "hops"]) and own.outputs.loc["p38 (measured)", "hops"] == 3


def test_missing_values_and_constant_columns_are_counted(tmp_path):
    table = "still,drug,Δx,p38,batch\n" + "\n".join("5," + line for line in TABLE.split("\n")[1:-1]) + "\n"
    table = table.replace("5,1,", "5,NA,", 1)
    columns = COLUMNS + "still,output,7\n"
    own = own_network(**files(tmp_path, table=("table.csv", table), columns=("columns.csv", columns)))
    assert counted(own, "missing value") == 1 and len(own.x) == 11
    assert counted(own, "never change, so that") == 1 and list(own.y) == ["p38 (measured)"]


BAD = {
    "empty": ({"table": ("table.csv", "")}, "table.csv is empty"),
    "only a header": ({"table": ("table.csv", "drug,Δx,p38,batch\n")}, "column names and no rows"),
    "wrong separator": ({"table": ("table.csv", TABLE.replace(",", ";"))}, "line 1: no comma in it"),
    "tabs in a csv": ({"network": ("network.csv", NETWORK.replace(",", "\t"))}, "a tab: give sep="),
    "missing column": ({"network": ("network.csv", NETWORK.replace("target", "x"))}, "no column for the target"),
    "long line": ({"network": ("network.csv", NETWORK + "a,b,1,1\n")}, "line 6: 4 columns, more"),
    "short line": ({"network": ("network.csv", NETWORK + "a,b\n")}, "line 6: 2 columns, fewer than the 3 columns"),
    "no end": ({"network": ("network.csv", NETWORK + "a,,1\n")}, "line 6: an edge must have a source and a target"),
    "no number": ({"table": ("table.csv", TABLE.replace("\n1,", "\nmuch,", 1))}, "line 3: column 'drug' must hold"),
    "a column twice": ({"table": ("table.csv", TABLE.replace("Δx", "drug"))}, "'drug' stands 2 times"),
    "strangers": ({"sets": ("sets.gmt", "one\tx\tq\tr\n")}, "same kind of identifier"),
    "a set twice": ({"sets": ("sets.gmt", SETS + "one\tx\t7\tp38\n")}, "line 3: the set 'one' stands already in"),
    "no tabs": ({"sets": ("sets.gmt", "one x a/b 7\n")}, "line 1: a line of a GMT"),
    "no such role": ({"columns": ("columns.csv", COLUMNS.replace("output", "exit"))}, "line 4: role must be one of"),
    "no such column": ({"columns": ("columns.csv", COLUMNS + "q,output,7\n")}, "table has no column 'q'"),
    "no such node": ({"columns": ("columns.csv", COLUMNS.replace("α->β", "q"))}, "'q', which is no node"),
    "case of two": ({"network": ("network.csv", NETWORK + "ab,7,1\nAb,7,1\n"),
                     "columns": ("columns.csv", COLUMNS.replace("a/b", "AB"))}, "fits several nodes but for case"),
    "one column": ({"columns": ("columns.csv", "name,role\np38,output\n"), "called": {"columns": {"column": "role"}}},
                   "column and role must be two columns, got 'role' for both"),
    "both": ({"columns": ("columns.csv", COLUMNS + "p38,input,7\n")}, "an input or an output, not both; got 'p38'"),
    "no output": ({"columns": ("columns.csv", COLUMNS.replace("output", "ignore"))}, "columns must name an output"),
    "only loops": ({"network": ("network.csv", "source,target\na,a\n")}, "at least one edge between two different"),
    "no text": ({"table": ("table.csv", b"\xff\xfe\x00a")}, "UTF-8"),
    "only comments": ({"table": ("table.csv", "# one\n#\r")}, "nothing but comment lines"),
    "an open quote": ({"table": ("table.csv", '"' + TABLE)}, "line 1: the names of the columns cannot be read"),
    "no gzip": ({"table": ("table.csv.gz", "drug\n")}, "cannot be read"),
    "half a gzip": ({"table": ("table.csv.gz", gzip.compress(TABLE.encode())[:-9])}, "cannot be read"),
    "a broken gzip": ({"table": ("table.csv.gz", gzip.compress(TABLE.encode())[:10] + b"x" * 99)}, "cannot be read"),
    "a short sif": ({"network": ("network.sif", "a\tb\n")}, "line 1: a line of a SIF"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_name_and_line(tmp_path, name):
    changed, words = BAD[name]
    with pytest.raises(ValueError) as caught:
        own_network(**files(tmp_path, **changed))
    assert words in str(caught.value)


def test_of_very_many_columns_only_the_used_ones_are_read(tmp_path):
    more = 100_000
    lines = TABLE.split("\n")[:-1]
    wide = ",".join(f"g{i}" for i in range(more))
    table = "\n".join([f"{lines[0]},{wide}"] + [f"{line},{'1,' * (more - 1)}1" for line in lines[1:]]) + "\n"
    own = own_network(**files(tmp_path, table=("table.csv", table)))
    assert counted(own, "columns of the table that are not used") == more


def test_the_run_folder_holds_what_was_used_and_reads_back(tmp_path):
    own = own_network(**files(tmp_path))
    own.write(tmp_path / "used")
    edges = read_edges(tmp_path / "used" / "network_used.csv", Findings())
    assert edges.equals(own.edges)
    assert (tmp_path / "used" / "report.txt").read_text(encoding="utf-8").startswith("OwnGraph")
    assert read_sets(tmp_path / "used" / "sets_used.csv")["set"].unique().tolist() == ["one", "two"]


def test_the_example_is_read_and_overwrites_nothing(tmp_path):
    own = own_network(**write_example(tmp_path / "new"))
    assert own.groups.nunique() == 60 and len(own.membership) == 4
    assert counted(own, "repeats of an edge") == 1 and counted(own, "not in the network") > 0
    with pytest.raises(ValueError, match="would overwrite"):
        write_example(tmp_path / "new")


CELL = st.sampled_from(
    ["a", "A", "b", "c", " a ", "1", "-1", "0", "", "NA", "é->", "a/b", '"', '"x,y"', "#", "nan", "1e400"]
)
TEXT = st.one_of(
    st.text(alphabet='ab1,\t;\n" \r#\x00é', max_size=40),
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=6).map(lambda rows: "\n".join(map(",".join, rows))),
    st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=6).map(lambda rows: "\n".join(map("\t".join, rows))),
)
STARTS = {kind: "" if kind == "sets" else text.split("\n")[0] + "\n" for kind, (_, text) in GOOD.items()}
ENDINGS = st.sampled_from(["", ".csv", ".sif", ".gmt"])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(list(GOOD)), text=TEXT, head=st.booleans(), ending=ENDINGS)
def test_no_file_ends_in_a_raw_traceback(tmp_path_factory, kind, text, head, ending):
    name = GOOD[kind][0] if not ending else f"{kind}{ending}"
    paths = files(tmp_path_factory.mktemp("fuzz"), **{kind: (name, (STARTS[kind] if head else "") + text)})
    try:
        own = own_network(**paths)
    except ValueError as error:
        assert type(error) is ValueError and len(str(error)) > 15
    else:
        assert torch.isfinite(torch.tensor(own.x.to_numpy())).all()
        assert own.report_table()["count"].ge(1).all()
        try:
            drawn = OwnProblem(own).draw(0)  # what mine asks next
        except ValueError as error:
            assert len(str(error)) > 15
        else:
            assert torch.isfinite(drawn.x_train).all() and torch.isfinite(drawn.y_train).all()


def test_a_network_without_a_truth_has_no_member_that_tells_one_and_no_metric_reads_one(tmp_path):
    graph = own_network(**files(tmp_path)).graph
    assert isinstance(graph, Graph) and not isinstance(graph, PathwayGraph)
    truths = "labels function_edge_is_true middle_nodes without_spurious_edges with_crosstalk_edges".split()
    assert not any(hasattr(graph, name) for name in truths)
    model = GSNN(graph.edge_index_dict, graph.names, channels=2, layers=2)
    x = torch.randn(3, len(graph.input_nodes))
    for metric in (attribution.leakage, attribution.coherence):
        with pytest.raises(TypeError, match="graph must be a PathwayGraph, of which the true pathway .* got OwnGraph"):
            metric(model, x, graph)
