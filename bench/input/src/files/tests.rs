//! The two forms of a file hold the same records; operations say what the diffs said.

use std::collections::BTreeMap;

use super::*;
use crate::workload::Workload;

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("millrace-bench-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    fs::read_to_string(path).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_stream_is_written_as_it_comes() {
    let root = scratch("stream");
    let spec = Spec { load: 50, ..Spec::new(Workload::Q3, 200, 100) };
    let folder = folder(&spec, &root).unwrap();
    let description: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join(DESCRIPTION)).unwrap()).unwrap();
    assert_eq!(description["load_ticks"], 1);
    assert_eq!(description["tables"][0]["name"], "auction");
    assert_eq!(description["tables"][0]["rows"], serde_json::json!([3, 6, 6]));
    let auctions = lines(&folder.join("auction.jsonl"));
    assert_eq!((auctions.len(), auctions[0]["id"].as_i64()), (15, Some(1000)));
    assert_eq!(auctions[0].as_object().unwrap().len(), 10);
    let parquet = fs::metadata(folder.join("person.parquet")).unwrap().len();
    assert!(parquet > 500, "{parquet} bytes");
    // a second call writes nothing
    fs::remove_file(folder.join("auction.jsonl")).unwrap();
    assert_eq!(super::folder(&spec, &root).unwrap(), folder);
    assert!(!folder.join("auction.jsonl").exists());
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn operations_leave_what_the_diffs_leave() {
    let root = scratch("changes");
    let spec = Spec { updates_percent: 20, ..Spec::new(Workload::Q0, 5000, 500) };
    let folder = folder(&spec, &root).unwrap();
    let mut by_ops = BTreeMap::new();
    for record in lines(&folder.join("bid.jsonl")) {
        let (id, price) = (record["bid_id"].as_i64().unwrap(), record["price"].as_i64().unwrap());
        let before = match record["op"].as_str().unwrap() {
            "d" => by_ops.remove(&id),
            _ => by_ops.insert(id, price),
        };
        assert_eq!(before.is_none(), record["op"] == "c");
    }
    let mut by_diffs = BTreeMap::new();
    for tick in spec.workload.ticks(&spec, true) {
        use arrow::array::AsArray;
        use arrow::datatypes::Int64Type;
        let column = |c: usize| tick[0].column(c).as_primitive::<Int64Type>().values().to_vec();
        let (prices, ids) = (column(2), column(7));
        for (i, id) in ids.iter().enumerate() {
            *by_diffs.entry((*id, prices[i])).or_insert(0) += tick[0].diff(i);
        }
    }
    let left: BTreeMap<i64, i64> = by_diffs.into_iter().filter(|(_, d)| *d != 0).map(|(row, _)| row).collect();
    assert_eq!(by_ops, left);
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn what_files_cannot_say_is_refused() {
    let root = scratch("refused");
    let error = folder(&Spec::new(Workload::JoinMaxDeletes, 100, 50), &root).unwrap_err();
    assert!(error.contains("lefts has no key"), "{error}");
    let _ = fs::remove_dir_all(root);
}
