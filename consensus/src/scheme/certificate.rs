//! What votes and certificates are on the wire.

use bytes::BufMut;
use commonware_codec::util::read_fixed_vec;
use commonware_codec::varint::MAX_U32_VARINT_SIZE;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt, ReadRangeExt, Write};
use commonware_cryptography::certificate::Signers;

/// A BIP 340 signature, r || s. Its encoding says nothing of its validity.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VoteSignature(pub [u8; 64]);

impl std::fmt::Debug for VoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&alloy_primitives::hex::encode(self.0))
    }
}

impl Write for VoteSignature {
    fn write(&self, writer: &mut impl BufMut) {
        writer.put_slice(&self.0);
    }
}

impl FixedSize for VoteSignature {
    const SIZE: usize = 64;
}

impl Read for VoteSignature {
    type Cfg = ();

    fn read_cfg(reader: &mut impl Buf, (): &()) -> Result<Self, Error> {
        <[u8; 64]>::read(reader).map(VoteSignature)
    }

    /// Takes memory once the bytes are there.
    fn read_vec(reader: &mut impl Buf, len: usize, (): &()) -> Result<Vec<Self>, Error> {
        read_fixed_vec(reader, len, &())
    }
}

/// A quorum's votes for one subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate {
    /// Who signed, among all validators of the epoch.
    pub signers: Signers,
    /// Their signatures, in the order of their indices.
    pub signatures: Vec<VoteSignature>,
}

impl Certificate {
    /// The most bytes of a certificate of so many validators: the bitmap with its length, the number
    /// of signatures, the signatures.
    pub fn most_bytes(validators: u32) -> usize {
        let validators = validators as usize;
        8 + validators.div_ceil(8) + MAX_U32_VARINT_SIZE + VoteSignature::SIZE * validators
    }
}

impl Write for Certificate {
    fn write(&self, writer: &mut impl BufMut) {
        self.signers.write(writer);
        self.signatures.write(writer);
    }
}

impl EncodeSize for Certificate {
    fn encode_size(&self) -> usize {
        self.signers.encode_size() + self.signatures.encode_size()
    }
}

impl Read for Certificate {
    /// The most validators.
    type Cfg = usize;

    fn read_cfg(reader: &mut impl Buf, validators: &usize) -> Result<Self, Error> {
        let signers = Signers::read_cfg(reader, validators)?;
        if signers.count() == 0 {
            return Err(Error::Invalid("certificate", "nobody signed"));
        }
        let signatures = Vec::<VoteSignature>::read_range(reader, ..=*validators)?;
        if signers.count() != signatures.len() {
            return Err(Error::Invalid("certificate", "other signatures than signers"));
        }
        Ok(Certificate { signers, signatures })
    }
}
