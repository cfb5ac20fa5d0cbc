//! Two at one store: a second writer, and readers beside the writer.

use super::super::*;
use super::*;

#[tokio::test(flavor = "current_thread")]
async fn a_second_writer_is_told_who_is_the_first() {
    let place = tempfile::tempdir().unwrap();
    let first = open(place.path()).await;
    let error = Store::open(place.path(), NO_PATIENCE, now()).await.unwrap_err();
    let StoreError::Busy { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, Some(std::process::id()));
    assert!(error.to_string().contains(&format!("process {} has it open", std::process::id())), "{error}");
    first.close().await;
    open(place.path()).await.close().await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_patient_writer_takes_over() {
    let place = tempfile::tempdir().unwrap();
    let first = open(place.path()).await;
    first.append(vec![ready("glm", 1)]).await.unwrap();
    let second = Store::open(place.path(), Duration::from_secs(30), now());
    let (second, ()) = tokio::join!(second, first.close());
    second.unwrap().append(vec![ready("glm", 2)]).await.unwrap();
    assert_eq!(reader(place.path()).await.history("glm", Filter::default()).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_reader_sees_what_is_written_meanwhile() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let reader = reader(place.path()).await;
    for number in 1..=5 {
        store.append(vec![ready("glm", 10 - number)]).await.unwrap();
        let past = reader.history("glm", Filter::default()).await.unwrap();
        assert_eq!(past.len(), usize::try_from(number).unwrap());
    }
    assert_eq!(reader.verify().await.unwrap(), Vec::<String>::new());
    assert!(reader.bytes() > 0);
    store.close().await;
    assert_eq!(reader.history("glm", Filter::default()).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "current_thread")]
async fn somebody_looks_while_the_store_is_made() {
    for _ in 0..20 {
        let place = tempfile::tempdir().unwrap();
        files::make_database(&files::database(place.path())).unwrap();
        let looking = async {
            for _ in 0..10 {
                Reader::open(place.path()).await.unwrap();
            }
        };
        let (store, ()) = tokio::join!(Store::open(place.path(), NO_PATIENCE, now()), looking);
        store.unwrap().append(vec![ready("glm", 1)]).await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "current_thread")]
async fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("state/pilotlight");
    let store = open(&directory).await;
    store.append(vec![ready("glm", 1)]).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in std::fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// As root nothing is denied, so this tells nothing there.
#[cfg(unix)]
#[tokio::test(flavor = "current_thread")]
async fn a_directory_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("state");
    let store = open(&directory).await;
    store.append(vec![ready("glm", 1)]).await.unwrap();
    let allow = |mode| std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o500);
    if std::fs::write(directory.join("try"), "").is_ok() {
        return;
    }
    let beside = reader(&directory).await;
    let seen = beside.history("glm", Filter::default()).await.unwrap();
    beside.close().await;
    assert_eq!(seen.len(), 1, "beside the writer");
    allow(0o700);
    store.close().await;
    allow(0o500);
    let beside = reader(&directory).await;
    let seen = beside.history("glm", Filter::default()).await.unwrap();
    beside.close().await;
    assert_eq!(seen.len(), 1, "without a log of changes there is nothing to share");
    std::fs::remove_file(directory.join("pilotlight.lock")).unwrap_err();
    let database = files::database(&directory);
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o400)).unwrap();
    let error = Store::open(&directory, NO_PATIENCE, now()).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. } | StoreError::ReadOnly { .. }), "{error}");
    let inner = directory.join("deeper");
    let error = Store::open(&inner, NO_PATIENCE, now()).await.unwrap_err();
    assert!(error.to_string().starts_with("create the state directory `"), "{error}");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o000)).unwrap();
    let error = Reader::open(&directory).await.unwrap_err();
    assert!(error.to_string().contains("permission denied; run as the user that owns it"), "{error}");
    // A log of changes that the reader may not index (none is there: all have closed).
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).unwrap();
    allow(0o700);
    std::fs::write(files::beside(&database, "-wal"), "changes").unwrap();
    allow(0o500);
    let error = Reader::open(&directory).await.unwrap_err();
    assert!(matches!(error, StoreError::Unshared { .. }), "{error}");
    allow(0o700);
}
