using System.IO.Compression;
using System.Text;
using Adjoint.IO;

namespace Adjoint.Fuzz;

/// <summary>Files of PyTorch that are right, and files around pickles that may not be.</summary>
internal static class PyTorchSamples
{
    // Tensors of all kinds of rebuilding, nested, with what checkpoints have beside them.
    private const string Checkpoint = "\u0080\u0002}q\0(U\u0005epochK\u0003U\u0002lrG?À\0\0\0\0\0\0U\u0004bestN"
        + "U\u0005modelccollections\nOrderedDict\nq\u0001)Rq\u0002("
        + "U\u0001wctorch._utils\n_rebuild_tensor_v2\nq\u0003((U\u0007storageq\u0004ctorch\nFloatStorage\nq\u0005"
        + "U\u00010U\u0003cpuq\u0006K\u0010tQK\u0001K\u0002K\u0003\u0086K\u0005K\u0001\u0086\u0089h\u0001)RtRq\u0007"
        + "U\u0001tctorch._utils\n_rebuild_parameter\n(h\u0007\u0089h\u0001)RtR"
        + "U\u0001vctorch._utils\n_rebuild_tensor\n((h\u0004h\u0005U\u00010h\u0006K\u0010tQK\0K\u0004\u0085K\0\u0085tR"
        + "U\u0001qctorch._utils\n_rebuild_qtensor\n((h\u0004ctorch\nQInt8Storage\nU\u00011h\u0006K\u0004tQK\0"
        + "K\u0004\u0085K\u0001\u0085ctorch\nper_tensor_affine\nG?À\0\0\0\0\0\0K\0\u0087\u0089h\u0001)RtRu"
        + "}U\u0009_metadatah\u0002sbU\u0005steps](K\u0001\u008a\u0001\u0002e"
        + "U\u0001ncnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\u0002f8\u0089\u0088tR(K\u0003U\u0001<NNNtb"
        + "c_codecs\nencode\n(U\u0008\0\0\0\0\0\0\0\0U\u0006latin1tRtR"
        + "U\u0001dctorch\ndevice\n(U\u0003cpuK\0tRu.";

    private static readonly byte[] Elements = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    internal static byte[] Program { get; } = Encoding.Latin1.GetBytes(Checkpoint);

    /// <summary>The pickle that <see cref="PyTorchFile"/> writes.</summary>
    internal static byte[] PickleOf(byte[] archive)
    {
        using var zip = new ZipArchive(new MemoryStream(archive));
        using var content = zip.GetEntry("archive/data.pkl")!.Open();
        using var memory = new MemoryStream();
        content.CopyTo(memory);
        return memory.ToArray();
    }

    /// <summary>A file of the zip format with this pickle.</summary>
    internal static byte[] Archived(byte[] pickle)
    {
        using var memory = new MemoryStream();
        var zip = new ZipWriter(memory);
        zip.Add("x/data.pkl", pickle);
        zip.Add("x/version", "3\n"u8);
        zip.Add("x/data/0", Elements);
        zip.Add("x/data/1", Elements.AsSpan(0, 4));
        zip.Finish();
        return memory.ToArray();
    }

    /// <summary>A file of the old format with this pickle.</summary>
    internal static byte[] Old(byte[] pickle) =>
    [
        .. Convert.FromHexString("80028a0a6cfc9c46f9206aa850192e"),
        .. Encoding.Latin1.GetBytes("\u0080\u0002Mé\u0003.\u0080\u0002}U\rlittle_endian\u0088s."), .. pickle,
        .. Encoding.Latin1.GetBytes("\u0080\u0002](U\u00010U\u00011e."), 16, 0, 0, 0, 0, 0, 0, 0, .. Elements,
        4, 0, 0, 0, 0, 0, 0, 0, .. Elements[..4],
    ];

    /// <summary>The same program, for the old format: its storages have one part more.</summary>
    internal static byte[] ForOld(byte[] pickle) =>
        Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(pickle).Replace("tQ", "NtQ"));

    /// <summary>A file that <see cref="PyTorchFile"/> writes.</summary>
    internal static byte[] Saved()
    {
        var w = Tensor.From(new[,] { { 1f, 2 }, { 3, 4 } });
        return Readers.Written(path => PyTorchFile.Save(path, new Dictionary<string, Tensor>
        {
            ["w"] = w,
            ["tied"] = w.Transpose(),
            ["n"] = Tensor.Scalar(3).To(DType.Int64),
            ["flags"] = Tensor.From(new[] { true, false }),
        }));
    }

    /// <summary>Reads all tensors of a file that can be loaded.</summary>
    internal static void Read(string path)
    {
        using var file = TensorFile.Open(path);
        var isWhole = file.Entries.All(entry => entry.ConvertsTo is not null);
        var tensors = isWhole ? file.LoadAll(convert: true).Values
            : file.Entries.Where(entry => entry.ConvertsTo is not null).Select(entry => file.Load(entry.Name, true));
        // The memory of tensors is none that .NET counts.
        if (tensors.Distinct().Sum(tensor => (long)tensor.Storage.Bytes.Length) is var bytes
            and > Readers.MostBytes)
            throw new FindingException($"{bytes} bytes of tensors for a file of {new FileInfo(path).Length}");
    }
}
