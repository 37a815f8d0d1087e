using System.Text;
using Adjoint.TensorBoard;

namespace Adjoint.Tests.TensorBoard;

public class RecordFramingTests
{
    // RFC 3720, B.4, and the check value of the catalogues of cyclic redundancy codes.
    public static TheoryData<byte[], uint> Published => new()
    {
        { Encoding.ASCII.GetBytes("123456789"), 0xE3069283 },
        { [], 0 },
        { new byte[32], 0x8A9136AA },
        { Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43 },
        { Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), 0x46DD794E },
        { Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray(), 0x113FDB5C },
    };

    [Theory, MemberData(nameof(Published))]
    public void The_checksum_is_CRC_32C(byte[] data, uint expected) =>
        Assert.Equal(expected, RecordFraming.Checksum(data));

    // The first bytes of every event file of TensorFlow: a record of 24 bytes.
    [Fact]
    public void A_record_has_length_data_and_masked_checksums()
    {
        var data = Enumerable.Range(0, 24).Select(i => (byte)i).ToArray();
        using var file = new MemoryStream();
        RecordFraming.Write(file, data);
        var written = Convert.ToHexStringLower(file.ToArray());
        Assert.StartsWith("1800000000000000a37f4b22" + Convert.ToHexStringLower(data), written,
            StringComparison.Ordinal);
        Assert.Equal(2 * (8 + 4 + 24 + 4), written.Length);
    }
}
