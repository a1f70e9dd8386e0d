use super::*;

fn codec() -> ValueCodec {
    ValueCodec::new(Format::Postcard)
}

fn frame<T: DeserializeOwned + Serialize + 'static>(value: &T) -> Vec<u8> {
    codec().encode::<T, T>(value).unwrap()
}

mod tomorrow {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    pub(super) struct User {
        pub(super) id: u64,
        pub(super) name: String,
        pub(super) email: Option<String>,
        pub(super) roles: Vec<Role>,
        pub(super) limits: BTreeMap<String, i32>,
        pub(super) points: f64,
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    pub(super) enum Role {
        Guest,
        Admin { since: (u16, u8), rights: BTreeSet<char> },
        Member(u32),
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    pub(super) struct Id(pub(super) i32, #[serde(default)] pub(super) i32);
}

#[test]
fn yesterdays_bytes_are_refused() {
    refused::<tomorrow::User>(&codec(), &frame(&User::sample()));
    refused::<Vec<tomorrow::User>>(&codec(), &frame(&vec![User::sample()]));
    refused::<tomorrow::Role>(&codec(), &frame(&Role::Guest));
    refused::<Vec<Option<tomorrow::Role>>>(&codec(), &frame(&vec![Some(Role::Member(1))]));
    refused::<tomorrow::Id>(&codec(), b"7");
    refused::<(u8, tomorrow::Id)>(&codec(), &frame(&(1u8, Id(3))));
}

#[test]
fn a_flipped_bit_is_refused() {
    let frame = frame(&User::sample());
    for bit in 0..frame.len() * 8 {
        let mut damaged = frame.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        refused::<User>(&codec(), &damaged);
    }
}

#[test]
fn a_frame_is_refused_if_anything_is_missing_or_left_over() {
    let frame = frame(&User::sample());
    for length in 0..frame.len() {
        refused::<User>(&codec(), &frame[..length]);
    }
    refused::<User>(&codec(), &[&frame[..], &[0]].concat());
}

#[test]
fn what_is_no_frame_is_refused() {
    refused::<User>(&codec(), b"");
    refused::<String>(&codec(), b"7");
    refused::<Option<u8>>(&codec(), b"7");
    refused::<User>(&codec(), br#"{"id":7}"#);
    refused::<u8>(&codec(), &[0xC1]);
}

#[test]
fn types_that_need_a_self_describing_format_are_refused_when_written() {
    #[derive(Deserialize, Serialize)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
    }
    let error = codec().encode::<_, Vec<Untagged>>(&[Untagged::A(1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
}

#[test]
fn a_value_of_the_usual_depth_survives() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Node {
        next: Option<Box<Node>>,
    }
    let list =
        |length: usize| (0..length).fold(Node { next: None }, |node, _| Node { next: Some(Box::new(node)) });
    let longest = list(127);
    assert_eq!(codec().decode::<Node>(&frame(&longest)).unwrap(), longest);
    refused::<Node>(&codec(), &frame(&list(128)));
}

#[test]
fn a_struct_that_leaves_out_a_field_is_refused_when_written() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Sparse {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<u8>,
        second: Option<u8>,
    }
    let full = Sparse { first: Some(1), second: None };
    assert_eq!(codec().decode::<Sparse>(&frame(&full)).unwrap(), full);
    let error = codec().encode::<_, Sparse>(&Sparse { first: None, second: Some(1) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
}

#[test]
fn a_sequence_that_lies_about_its_length_is_refused_when_written() {
    struct Liar(usize);
    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut seq = serializer.serialize_seq(Some(self.0))?;
            seq.serialize_element(&1u8)?;
            seq.end()
        }
    }
    assert!(codec().encode::<_, Vec<u8>>(&Liar(1)).is_ok());
    assert!(codec().encode::<_, Vec<u8>>(&Liar(0)).is_err());
    assert!(codec().encode::<_, Vec<u8>>(&Liar(2)).is_err());
}

#[test]
fn the_payload_is_postcards_own() {
    let bytes = frame(&vec![User::sample(); 3]);
    assert_eq!(bytes[21..], ::postcard::to_stdvec(&vec![User::sample(); 3]).unwrap());
}
