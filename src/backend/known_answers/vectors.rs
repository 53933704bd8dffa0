//! The vectors: numbers in hexadecimal, big-endian.

use crate::algorithm::Algorithm;

/// An ECDSA item; `key` is compressed.
#[derive(Clone, Copy)]
pub(super) struct Ecdsa {
    pub(super) what: &'static str,
    pub(super) z: &'static str,
    pub(super) r: &'static str,
    pub(super) s: &'static str,
    pub(super) key: &'static str,
    pub(super) valid: bool,
}

/// A BIP 340 item over the message "mill".
pub(super) struct Schnorr {
    pub(super) what: &'static str,
    pub(super) r: &'static str,
    pub(super) s: &'static str,
    pub(super) key: &'static str,
    pub(super) valid: bool,
}

/// A recovery; an empty key means that there is none. `high`: s lies above half the order.
pub(super) struct Recover {
    pub(super) what: &'static str,
    pub(super) z: &'static str,
    pub(super) r: &'static str,
    pub(super) s: &'static str,
    pub(super) parity: u8,
    pub(super) key: &'static str,
    pub(super) high: bool,
}

/// A digest of the message of `bytes` bytes.
pub(super) struct Digest {
    pub(super) algorithm: Algorithm,
    pub(super) bytes: usize,
    pub(super) digest: &'static str,
}

/// s of the first ECDSA item, negated mod n.
pub(super) const HIGH_S: &str = "8e9b1fbaec3302fff72cb6f641d5ab92f9b8a8be529a9905c436103e23d0e6aa";
/// n.
pub(super) const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
/// x and y of the first ECDSA item's key.
pub(super) const FULL_KEY: &str = "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377159c8cad9ad22a85306901958c642356c5574e4c0f248796e964a30ad9716555";

pub(super) const ECDSA: &[Ecdsa] = &[
    Ecdsa {
        what: "ordinary",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "17f53289eac961e5adc858d3ca50dab056ddca7a1a906c0815a0369312d1aa49",
        s: "7164e04513ccfd0008d34909be2a546bc0f634285cae0735fb9c4e4eac655a97",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: true,
    },
    Ecdsa {
        what: "r spoiled",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "17f53289eac961e5adc858d3ca50dab056ddca7a1a906c0815a0369312d1aa48",
        s: "7164e04513ccfd0008d34909be2a546bc0f634285cae0735fb9c4e4eac655a97",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Ecdsa {
        what: "s spoiled",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "17f53289eac961e5adc858d3ca50dab056ddca7a1a906c0815a0369312d1aa49",
        s: "7164e04513ccfd0008d34909be2a546bc0f634285cae0735fb9c4e4eac655a96",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Ecdsa {
        what: "message spoiled",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1c",
        r: "17f53289eac961e5adc858d3ca50dab056ddca7a1a906c0815a0369312d1aa49",
        s: "7164e04513ccfd0008d34909be2a546bc0f634285cae0735fb9c4e4eac655a97",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Ecdsa {
        what: "another key",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "17f53289eac961e5adc858d3ca50dab056ddca7a1a906c0815a0369312d1aa49",
        s: "7164e04513ccfd0008d34909be2a546bc0f634285cae0735fb9c4e4eac655a97",
        key: "03040ed386bfc130bdae0c37f8d856d9cc1d8a02633693345f2239296f01c5d290",
        valid: false,
    },
    Ecdsa {
        what: "z is zero",
        z: "0000000000000000000000000000000000000000000000000000000000000000",
        r: "f24bd96a7ba5667493608614a4ce95f31adf139ff0a8864699e4b754983c4472",
        s: "7451001160a0fd3f3e0e9c5ac94de515e303a4a3754294d03b2e8499e691a149",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: true,
    },
    Ecdsa {
        what: "z is the order",
        z: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        r: "f24bd96a7ba5667493608614a4ce95f31adf139ff0a8864699e4b754983c4472",
        s: "7451001160a0fd3f3e0e9c5ac94de515e303a4a3754294d03b2e8499e691a149",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: true,
    },
    Ecdsa {
        what: "x of R is r + n",
        z: "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06",
        r: "0000000000000000000000000000000000000000000000000000000000000002",
        s: "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89",
        key: "032ad6a46b8a1a75ec8c5da5a7fa1a439f52534619ea539a876ebb9fa3eae8bf7f",
        valid: true,
    },
    Ecdsa {
        what: "small r",
        z: "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06",
        r: "0000000000000000000000000000000000000000000000000000000000000006",
        s: "043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf89",
        key: "0385baa371c600856ff12b5cfbd1c27cd9d3f2d336d01fed7e23561844c3c01c08",
        valid: true,
    },
    Ecdsa {
        what: "R is infinity",
        z: "99091e6a6a7dc7712cbc235189f827b9f62ede28a3d4ed18f1d1699f0bbb9897",
        r: "7f819da05da044cf6f877075dd54a8ba50b22c865fdd21e0f2e7d106f9e7ebde",
        s: "76f1a3efc1bf6942f1b961117e8a979b63426bd1a8c62cc93789122a752be083",
        key: "03df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Ecdsa {
        what: "u1 G = u2 Q",
        z: "4a60bf7d4bc1e485744cf7e8d0860524752fca1ce42331be7c439fd23043f151",
        r: "ee64581014eb6dbcea7dc04017c526ed84ed0e989ddd7eede18d4ba1a703b535",
        s: "231fe9656fc8d3a459e623dc8204e6d0c9381f8215cefd8e5cb9f6e8734297e3",
        key: "0333cefebe234ba6e316b8d04590f5ef5275a7bed944e8f5824d90bf33c064f12d",
        valid: true,
    },
    Ecdsa {
        what: "Q = G",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "1162e480e6bc4b80b317c7b9022033c3c5d9da241c9f7060274d39b5f4d91858",
        s: "09ff75cac4d13d196e3062e7c8a0ff86bacedb905182901e1fd1ac346de5fd7e",
        key: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        valid: true,
    },
    Ecdsa {
        what: "Q = -G",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "7d6e798c78e70986ab084378db7986260287815aefe6a970059ae3c4d0785a3d",
        s: "349832785a476601ad2dd999d692263b558b6be5f6f5ecb5cc9c3cefa55838bd",
        key: "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        valid: true,
    },
    Ecdsa {
        what: "Q = 2 G",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "91a6bc99933a4bbd80a2d90f3a7efd145c159bd7e8a679a7b0238485326c8eed",
        s: "451d7deb33e69fca077324d189e98b62f2b35b1bbe797716d60c791f7dc79ac5",
        key: "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        valid: true,
    },
    Ecdsa {
        what: "Q = lambda G",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
        r: "2f62f2eaca01377c9c86a27d27c0e99a67d09bcef57f2569ba591951a2efaa6b",
        s: "2319c2103390f50e33e007990390cffc37987083d109ff8f669358ed29959876",
        key: "02bcace2e99da01887ab0102b696902325872844067f15e98da7bba04400b88fcb",
        valid: true,
    },
    Ecdsa {
        what: "Q = lambda G, spoiled",
        z: "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1f",
        r: "2f62f2eaca01377c9c86a27d27c0e99a67d09bcef57f2569ba591951a2efaa6b",
        s: "2319c2103390f50e33e007990390cffc37987083d109ff8f669358ed29959876",
        key: "02bcace2e99da01887ab0102b696902325872844067f15e98da7bba04400b88fcb",
        valid: false,
    },
];

pub(super) const SCHNORR: &[Schnorr] = &[
    Schnorr {
        what: "ordinary",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "7b4af423e029e0f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: true,
    },
    Schnorr {
        what: "r spoiled",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd1",
        s: "7b4af423e029e0f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "s spoiled",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "7b4af423e029e1f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "y of R is odd",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "50bed7faff2448057fdc55527180b76e9230624f703add0510174a0eb25aee9a",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "R is infinity",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "e604e60f6fa7147c8ae27fcb7b121d6ff8d731435b3c8c5b4980f7ff79efc20b",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "x on no point",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "7b4af423e029e0f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "0000000000000000000000000000000000000000000000000000000000000005",
        valid: false,
    },
    Schnorr {
        what: "key above the prime",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "7b4af423e029e0f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        valid: false,
    },
    Schnorr {
        what: "s is the order",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "r is the prime",
        r: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        s: "7b4af423e029e0f395e8aa4484a38372a4cf235096f59b75c3184763714e543b",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
    Schnorr {
        what: "s is zero",
        r: "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
        s: "0000000000000000000000000000000000000000000000000000000000000000",
        key: "df42306e8672b7812987479140df7e71f8af65e58fb17909d9787a3351a89377",
        valid: false,
    },
];

pub(super) const RECOVER: &[Recover] = &[
    Recover {
        what: "ordinary",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 1,
        key: "6da0e4d65a933e828c9de388005281dfa7e4948895d10c7c3ef617b5e40d97fdf424db33400fd7fab1d6e84f4551babd04662a8b1699fbcbf96aba3a3eaedd86",
        high: false,
    },
    Recover {
        what: "the other parity",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 0,
        key: "254283e4e7cba42840f896e6d0e096a1d74eb076de9548a584cfc0ed5fa2c4b9e69b4051a15312ea36cbb36b3d11c2ffbd49d8ac4607c97bd82b873430d3088a",
        high: false,
    },
    Recover {
        what: "high s",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "c9c0323bcfaed615d4fb299261fbf202cf2933c9e13e20cefae338ca96e05980",
        parity: 0,
        key: "6da0e4d65a933e828c9de388005281dfa7e4948895d10c7c3ef617b5e40d97fdf424db33400fd7fab1d6e84f4551babd04662a8b1699fbcbf96aba3a3eaedd86",
        high: true,
    },
    Recover {
        what: "message spoiled",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bdf",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 1,
        key: "d180e8e42ee4e09525598002e84915f7d2e2a1d75b0daada1fdf069bfca5d8366e6f7894aaaad38b4e3d9de57f0b91cb37522508d53860646fb39d57938c48d6",
        high: false,
    },
    Recover {
        what: "z is zero",
        z: "0000000000000000000000000000000000000000000000000000000000000000",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 1,
        key: "d3106d7f9f1f3c9e6445d621f7148d0480d473037bfcfe8adac2216601770c081a19743c5ee0aab261bcc979b8c140473e8ba8fea6859a787d075408ed11c4f3",
        high: false,
    },
    Recover {
        what: "r is no x",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "0000000000000000000000000000000000000000000000000000000000000005",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 1,
        key: "",
        high: false,
    },
    Recover {
        what: "the key is infinity",
        z: "27c4b352083770b97e72488ca762abfbcb3a3137e841bd9561c249254fe22be1",
        r: "1aa3530c11c24df39703d725b992e4418fad6066101af21be9893e3ee578d666",
        s: "5b840157e7e86aef3b3fd0fc24f3add34d3e7f210370d429475ed1bcd3e7fca2",
        parity: 1,
        key: "",
        high: false,
    },
    Recover {
        what: "r is zero",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "0000000000000000000000000000000000000000000000000000000000000000",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 0,
        key: "",
        high: false,
    },
    Recover {
        what: "s is the order",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        parity: 0,
        key: "",
        high: false,
    },
    Recover {
        what: "parity 2",
        z: "153812ae5fea0b73a011bf28bd7cea93644437c3fe3260b7b2d7e1e2f9f46bde",
        r: "62a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
        s: "363fcdc4305129ea2b04d66d9e040dfbeb85a91cce0a7f6cc4ef25c23955e7c1",
        parity: 2,
        key: "",
        high: false,
    },
];

pub(super) const DIGESTS: &[Digest] = &[
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 0,
        digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 1,
        digest: "084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 55,
        digest: "e7313d333c272e639f790978283f9eb392e843d0f29b7016828bb1daa4aac70b",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 56,
        digest: "4324d65f3c103567f5589c710bc08f8523f929a9272e3af36fc968e52abc6c27",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 63,
        digest: "81c80242132f230c3bd41b3e63bbcff16107339549214a99614ff26664625055",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 64,
        digest: "39e3d7b6b5d075d37d053ad89b24b41bef4f3c29760c84447cab3f3be1882241",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 65,
        digest: "aacca6ff74fdbb296d165a45cecfa04e5127bc008770fbbdd48006f2d2fae95e",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 119,
        digest: "9ce7368e4daf32341631b492e80359dc9f594b48453cd0dd5bf0b19279cc177e",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 120,
        digest: "7836b787757e95e58b3ca5aec90b1b004e8deba1e50e9675af9cabf1a13a04b5",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 127,
        digest: "a8d23e75d936f303d248888d9b165ee543f4cbafcad3c9dd2a79bd84faa11d07",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 128,
        digest: "d2742f1f4ac6bb7ca2b239ee18402ba8b3f9f8e652d2a72973c2b9ba11c08cf6",
    },
    Digest {
        algorithm: Algorithm::Sha256,
        bytes: 200,
        digest: "2c7e18c942ef065b526a2d4e5546283749cd3ddfb51d8fc71f42717363685f46",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 0,
        digest: "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 1,
        digest: "c942a06c127c2c18022677e888020afb174208d299354f3ecfedb124a1f3fa45",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 32,
        digest: "f37223a872d3346cf8ebc60216306cc8dccbb2ac7b660f264e136d51d9cc89c2",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 55,
        digest: "665cdbf0eae5f503411c45d40c5af00419b0616eb7ec4639777f301b2075125d",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 56,
        digest: "f280ddf9d775e99aba027ba0468a136121294de021e8f3eba8b9832028a9c8c8",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 64,
        digest: "083d6e6e2184d63a0876508b85a3c61a41c49989c894d3a51804b23ff14f012a",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 65,
        digest: "e919f566d0e630fab275ac5c2c8aedd3b2cb58b7d635ed83caf414f9b6b7ee77",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 80,
        digest: "957e2df158e91846019ea6d27e05b3d18c0abb09e65327a615ea4c17d529f99b",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 120,
        digest: "3758781863212780c194d584ebf6fa0809a7a3cbb940eee2197885b7ff8fffd8",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 128,
        digest: "b4ad8bf8756744765a795c127a978e2aa42531fcd6baa10272f00d591fc36316",
    },
    Digest {
        algorithm: Algorithm::Sha256d,
        bytes: 200,
        digest: "b6a48f598cae4a0871feca2e18ed7c2a7951918781d4bdeaf0520e46092ca63b",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 0,
        digest: "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 1,
        digest: "69c322e3248a5dfc29d73c5b0553b0185a35cd5bb6386747517ef7e53b15e287",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 64,
        digest: "0251cf13aa5b18f1cbda7cddbe85f3dc536fc93df590c2d20ca9b28af1ed2c39",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 135,
        digest: "00ef96af9cf4b24c7f269d922294444a197d0a33638c2e56634c57e892103a8f",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 136,
        digest: "742061bcad767ed4c4f5883b1dcb1aad11afdcc140dc469d953759b127b9f9ed",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 137,
        digest: "e3371f61e770abf254c34239c3b0099ad90594507415bc81dd0a10b9692bbf2a",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 271,
        digest: "4401c4afbe16ff911bdbf2d38e556e5b861f3fdf0f9d4306b1c46f6ae4f73584",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 272,
        digest: "ac141fd7b0a0ffcd2e967254d508da3ec616596493c36fa304425647d90e6de5",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 273,
        digest: "16192ea86793083e47731cb3c970600f04768414d92bc0540e54ce8607a0fce0",
    },
    Digest {
        algorithm: Algorithm::Keccak256,
        bytes: 300,
        digest: "fa75f2293be9f9a14dcdeeff53f7b91ff6a2b1331b13886e69077ab1cf8252a9",
    },
];

/// Roots of the trees of 1, 2, .. leaves.
pub(super) const ROOTS: &[&str] = &[
    "0101010101010101010101010101010101010101010101010101010101010101",
    "39ce20bede82c96b8908bec4a157b09c549b3db90b9b474bda9ae9b9030310b4",
    "223e023fadf1f053df26988871f893c821c28edf77d64a955e6c2a02d547bdac",
    "085aabaef98668701b87c9a1986bdf116726a9949802326b69895697d4e8c812",
    "26e2870f72368b3f8baef83fa26282d95d9c194e1f33d90a12932e0f6022e5d3",
    "7b66d521a8037fd37d8730a5a77b304c0994bf45fc6e225cb79073f087cf97e9",
    "5cda317f9f94e784d7811b9b9884f3082f0baafc8a93a7db6f95f57ea52e9269",
    "c1105948cfffba7d4dcf98de63a5eb1e4bd9c0ae1ff9dfcf0f34b9ad7eb758fc",
    "1f2f2e534f6bc8f6460fdf5bee838579e9d9d61e4ccbbc07f486cbf0c908c7a1",
];

pub(super) const PATH_OF_LEAF_4_OF_5: &[&str] = &[
    "0505050505050505050505050505050505050505050505050505050505050505",
    "e374e0988de6a3b05c550391a7a466719b37c692cf4d9545b337d4df7d4ef0f7",
    "085aabaef98668701b87c9a1986bdf116726a9949802326b69895697d4e8c812",
];
