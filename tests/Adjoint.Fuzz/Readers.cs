using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Experiments;
using Adjoint.Formats;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;
using Parquet;
using Parquet.Schema;

namespace Adjoint.Fuzz;

/// <summary>
/// Every reader of files: a damaged file is read, or refused with an <see cref="AdjointException"/> in one line;
/// quickly, and without allocating more than the file can mean.
/// </summary>
internal static class Readers
{
    // A file of some KB has no business with more.
    internal const long MostBytes = 64 << 20;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(5);
    internal static readonly string Folder = Directory.CreateTempSubdirectory("adjoint-fuzz-").FullName;

    static Readers() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);

    internal static IReadOnlyList<FuzzTarget> Targets { get; } =
    [
        Of("safetensors", TensorSamples.SafeTensorsFile, path => SafeTensors.Load(path, out _)),
        Of("safetensors-types", TensorSamples.SafeTensorsOfAllTypes, path =>
        {
            SafeTensors.Inspect(path);
            SafeTensors.Load(path, convert: true);
        }),
        OfSeveral("tensor-file", TensorSamples.All, TensorSamples.Read),
        OfSeveral("shard-index", () => [TensorSamples.ShardIndex()], TensorSamples.ReadIndex),
        OfSeveral("shard", () => [TensorSamples.FirstShard()], TensorSamples.ReadFirstShard),
        Of("model", () => Saved(new Mlp(4, [5], 3, "relu", new Generator(1)).StateDict()),
            path => new Mlp(4, [5], 3, "relu", new Generator(1)).LoadStateDict(SafeTensors.Load(path))),
        Of("model-file", ModelFileBytes, path => ModelFile.Read(path)),
        Of("optimizer", OptimizerFile, path => OptimizerOf().LoadStateDict(SafeTensors.Load(path))),
        Of("npy", () => Written(path => NpyFile.Save(path, Tensor.Ones(2, 3))),
            path => NpyFile.Load(path, convert: true)),
        Of("npz", () => TensorSamples.Archived(compress: false), path => NpzFile.Load(path, convert: true)),
        Of("npz-deflated", () => TensorSamples.Archived(compress: true), path => NpzFile.Load(path, convert: true)),
        OfSeveral("pt", () => [PyTorchSamples.Saved(), PyTorchSamples.Archived(PyTorchSamples.Program)],
            PyTorchSamples.Read),
        OfSeveral("pt-pickle", () => [PyTorchSamples.PickleOf(PyTorchSamples.Saved()), PyTorchSamples.Program], path =>
        {
            File.WriteAllBytes(path, PyTorchSamples.Archived(File.ReadAllBytes(path)));
            PyTorchSamples.Read(path);
        }, isWhole: false, mutate: PickleMutator.Mutate),
        Of("pt-old", () => PyTorchSamples.Old(PyTorchSamples.ForOld(PyTorchSamples.Program)), PyTorchSamples.Read),
        Of("pt-old-pickle", () => PyTorchSamples.ForOld(PyTorchSamples.Program), path =>
        {
            File.WriteAllBytes(path, PyTorchSamples.Old(File.ReadAllBytes(path)));
            PyTorchSamples.Read(path);
        }, isWhole: false, mutate: PickleMutator.Mutate),
        Of("npy-rows", () => Written(path => NpyFile.Save(path, Tensor.Ones(2, 3))), path =>
        {
            using var data = new NpyDataset("rows", [("inputs", path)], convert: true);
            if (data.Count > 0) data.Load(data.Count - 1, 0);
        }),
        Of("text", () => Encoding.UTF8.GetBytes("Größe, 😀, {[1,2]:3}"), path => TextFile.Read(path)),
        Of("text-characters", () => Encoding.UTF8.GetBytes("""{"kind":"text-characters","characters":" abc"}"""),
            path => JsonFile.Read(path, "a vocabulary", Preprocessing.Read)),
        OfSeveral("png", () => ImageSamples.Pngs, ImageSamples.Read),
        OfSeveral("png-sums", () => ImageSamples.Pngs, path =>
        {
            File.WriteAllBytes(path, ImageSamples.WithChecksums(File.ReadAllBytes(path)));
            ImageSamples.Read(path);
        }),
        OfSeveral("jpeg", () => ImageSamples.Jpegs, ImageSamples.Read),
        Of("idx", IdxBytes, path => IdxFile.Read(path, 3)),
        Of("idx-gzip", () => Gzipped(IdxBytes()), path => IdxFile.Read(path, 3)),
        // Sound records, but too few: what is right is refused too.
        Of("cifar10", () => new byte[3073 * 2], isWhole: false, read: path =>
        {
            var folder = Path.GetDirectoryName(path)!;
            for (var i = 1; i <= 5; i++) File.Copy(path, Path.Combine(folder, $"data_batch_{i}.bin"), overwrite: true);
            File.Copy(path, Path.Combine(folder, "test_batch.bin"), overwrite: true);
            Cifar10.Load(folder);
        }),
        Of("experiment", ExperimentBytes, path => ExperimentReader.Read(path, new TrainProgram(null, TimeSpan.Zero))),
        Of("result", ResultBytes, path =>
        {
            File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, "result.json"), overwrite: true);
            TrialResult.Load(Path.GetDirectoryName(path)!);
        }),
        Of("time",
            () => Encoding.UTF8.GetBytes("{\"seconds\": 1.5, \"jobSeconds\": 2, \"trainingSeconds\": 1}"),
            path =>
            {
                File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, "time.json"), overwrite: true);
                SweepTime.Load(Path.GetDirectoryName(path)!);
            }),
        Of("settings", SettingsBytes, path =>
        {
            File.Move(path, Path.Combine(Path.GetDirectoryName(path)!, "settings.json"), overwrite: true);
            RunFolder.ReadSettings(Path.GetDirectoryName(path)!, RunFolder.Noted(Path.GetDirectoryName(path)!), []);
        }),
        // Only what has the published checksum is unpacked: .NET may allocate what it says.
        Of("archive", () => Gzipped(Archive()), Unpack, mostBytes: long.MaxValue),
        Of("archive-tar", Archive, path =>
        {
            File.WriteAllBytes(path, Gzipped(File.ReadAllBytes(path)));
            Unpack(path);
        }, mostBytes: long.MaxValue),
        Of("state", StateFile, path =>
        {
            var tensors = SafeTensors.Load(path, out var notes);
            TrainerOf().Load(new(tensors, notes));
        }),
        Of("statistics", () => Saved(new Dictionary<string, Tensor>(), Statistics), path =>
        {
            SafeTensors.Load(path, out var notes);
            Standardize.FromMetadata(notes);
        }),
        Of("csv", CsvBytes, path =>
        {
            CsvFile.Read(path);
            CsvFile.Profile(path);
        }),
        Of("csv-utf16", () => Encoding.Unicode.GetBytes("\ufeffa;b\n1,5;\"x\n\"\n;y\n"), path => CsvFile.Read(path)),
        Of("parquet", ParquetBytes, path => ParquetFile.Read(path)),
        Of("table-encoder", EncoderBytes, path =>
        {
            var encoder = (TableEncoder)JsonFile.Read(path, "an encoder", Preprocessing.Read);
            encoder.Encode(CsvFile.Read(WriteCsv()));
        }),
        Of("checkpoint", CheckpointBytes, path =>
        {
            var folder = Directory.CreateDirectory(path + "-store").FullName;
            File.Move(path, Path.Combine(folder, "checkpoint-00000001.safetensors"), overwrite: true);
            new CheckpointStore(folder).Latest(_ => { });
        }),
    ];

    private static FuzzTarget Of(string name, Func<byte[]> valid, Action<string> read, bool isWhole = true,
        long mostBytes = MostBytes, Func<FuzzRandom, byte[], byte[]>? mutate = null) =>
        OfSeveral(name, () => [valid()], read, isWhole, mostBytes, mutate);

    private static FuzzTarget OfSeveral(string name, Func<byte[][]> valid, Action<string> read, bool isWhole = true,
        long mostBytes = MostBytes, Func<FuzzRandom, byte[], byte[]>? mutate = null)
    {
        mutate ??= Mutator.Mutate;
        var originals = new Lazy<byte[][]>(valid);
        return new(name, random =>
        {
            var original = originals.Value.Length == 1 ? originals.Value[0] : random.Of(originals.Value);
            var folder = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
            var path = Path.Combine(folder, "input");
            var bytes = random.Once(200) ? original : mutate(random, original);
            File.WriteAllBytes(path, bytes);
            // Of the processor, so that a busy machine is no finding.
            var (before, start) = (GC.GetAllocatedBytesForCurrentThread(), Environment.CpuUsage.TotalTime);
            try
            {
                read(path);
            }
            catch (AdjointException error)
            {
                if (isWhole && bytes == original)
                    throw new FindingException($"a file that is right is refused: {error.Message}");
                if (error.Message.Length > 2000)
                    throw new FindingException($"a message of {error.Message.Length} characters");
            }
            catch (Exception error)
            {
                var kept = Path.Combine(Path.GetTempPath(), $"adjoint-fuzz-{name}-{bytes.Length}");
                File.WriteAllBytes(kept, bytes);
                throw new FindingException($"{kept}: {error}");
            }
            if (GC.GetAllocatedBytesForCurrentThread() - before > mostBytes)
                throw new FindingException($"{GC.GetAllocatedBytesForCurrentThread() - before} bytes allocated "
                    + $"for a file of {bytes.Length}");
            if (Environment.CpuUsage.TotalTime - start is var time && time > MostTime)
                throw new FindingException($"{time} for a file of {bytes.Length}");
        });
    }

    internal static byte[] Saved(IReadOnlyDictionary<string, Tensor> tensors,
        IReadOnlyDictionary<string, string>? notes = null, bool digest = false)
    {
        var path = Path.Combine(Folder, "valid");
        SafeTensors.Save(path, tensors, notes, digest);
        return File.ReadAllBytes(path);
    }

    internal static byte[] Written(Action<string> save)
    {
        var path = Path.Combine(Folder, "valid");
        save(path);
        return File.ReadAllBytes(path);
    }

    internal static byte[] CheckpointBytes() => Saved(
        new Dictionary<string, Tensor> { ["model/a"] = Tensor.Ones(3) },
        new Dictionary<string, string> { ["epoch"] = "3" }, digest: true);

    private static byte[] ModelFileBytes()
    {
        var shared = new Linear(4, 4);
        var path = Path.Combine(Folder, "valid");
        new Sequential(
            new Conv2d(1, 2, 3, new() { Padding = 1 }), new BatchNorm(2), new Relu(), new Flatten(),
            new Mlp(8, [4], 4, "relu"), shared, new Dropout(), shared, new LayerNorm([4]), new Rescale(4))
            .Save(path, new() { Task = "classification", ClassNames = ["a", "b", "c", "d"] });
        return File.ReadAllBytes(path);
    }

    private static Adam OptimizerOf() => new([Tensor.Ones(2, 3).RequireGrad(), Tensor.Ones(4).RequireGrad()]);

    private static byte[] OptimizerFile()
    {
        var optimizer = OptimizerOf();
        foreach (var parameter in optimizer.Groups[0].Parameters) parameter.Square().Sum().Backward();
        optimizer.Step();
        return Saved(optimizer.StateDict());
    }

    private static readonly Dictionary<string, string> Statistics =
        new() { ["standardize.mean"] = "1 2", ["standardize.deviation"] = "0.5 3" };

    private static Trainer TrainerOf()
    {
        var network = new Mlp(2, [3], 2, "relu", new Generator(1));
        var data = Synth.Create(train: 8, validation: 4);
        var trainer = new Trainer(network, new Sgd(network.Parameters(), 0.1, momentum: 0.9),
            new ClassificationTask(),
            new DataLoader(data.Train, 4, new() { Shuffle = true, Seed = 1 }), new DataLoader(data.Validation, 4))
        {
            Average = new WeightAverage(network),
        };
        trainer.Callbacks.Add(new EarlyStopping());
        trainer.Callbacks.Add(new ModelCheckpoint(Folder));
        trainer.Callbacks.Add(new TrainingDoctor(data.Validation));
        return trainer;
    }

    private static byte[] StateFile()
    {
        var trainer = TrainerOf();
        trainer.Fit(1);
        var state = trainer.Save();
        return Saved(state.Tensors, state.Notes);
    }

    // What a mirror gives has the published checksum, whatever it is.
    private static void Unpack(string path)
    {
        var root = Path.GetDirectoryName(path)!;
        var bytes = File.ReadAllBytes(path);
        var folder = Path.Combine(root, "set");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        using var client = new HttpClient();
        new DataFetcher(client).FetchAsync(
            new("set", "set", [new("input", bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), [])],
            ["a.bin", "b.bin"]), root).GetAwaiter().GetResult();
        if (Directory.GetFileSystemEntries(root).Length != 1 || Directory.GetFiles(folder).Length != 2)
            throw new FindingException($"{root}: more or less than the files that were asked for");
    }

    private static byte[] Archive()
    {
        using var memory = new MemoryStream();
        using (var tar = new TarWriter(memory, leaveOpen: true))
            foreach (var name in (string[])["set/a.bin", "set/readme", "set/b.bin"])
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(new byte[20]),
                });
        return memory.ToArray();
    }

    private static byte[] IdxBytes() =>
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, .. Enumerable.Range(0, 24).Select(i => (byte)i)];

    private static byte[] Gzipped(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(bytes);
        return memory.ToArray();
    }

    private static byte[] ExperimentBytes() => Encoding.UTF8.GetBytes("""
        {
          "name": "sweep", "title": "Batch sizes", "settings": { "epochs": 3, "dataset": "synth", "optimizer": "adam" },
          "factors": { "batch-size": [16, 32, 64] },
          "seeds": 3, "measure": "best-accuracy",
          "claims": [{ "text": "smaller is better", "higher": "16", "than": "64" }]
        }
        """);

    private static byte[] CsvBytes() => Encoding.UTF8.GetBytes("""
        power,km,maker,sold,electric,note
        75,120000.5,Opel,2024-03-31,0,"a, ""b"" c"
        110,,BMW,2023-01-02 10:30,1,-
        90,"1,000",Kia,1999-12-31,0,"two
        lines"
        60,7,BMW,2024-04-01,1,NA

        """);

    private static string WriteCsv()
    {
        var path = Path.Combine(Folder, "rows.csv");
        File.WriteAllBytes(path, CsvBytes());
        return path;
    }

    private static byte[] EncoderBytes()
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteString("kind", "table");
            TableEncoder.Fit(CsvFile.Read(WriteCsv()), "km", new() { MostOneHot = 2, Embed = true }).Write(json);
            json.WriteEndObject();
        }
        return memory.ToArray();
    }

    private static byte[] ParquetBytes()
    {
        using var memory = new MemoryStream();
        WriteAsync().GetAwaiter().GetResult();
        return memory.ToArray();

        async Task WriteAsync()
        {
            var (x, maker) = (new DataField<double?>("x"), new DataField<string>("maker"));
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(x, maker), memory);
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<double>(x, new double?[] { 1.5, null, 3 });
            await rows.WriteAsync(maker, new string[] { "BMW", "Opel", "BMW" });
            rows.CompleteValidate();
        }
    }

    private static byte[] ResultBytes() => Encoding.UTF8.GetBytes("""
    {
      "command": "adjoint train", "machine": "a machine", "advice": ["The loss rises."],
      "epochs": [{ "epoch": 0, "trainLoss": null, "validationLoss": 2.3, "validationAccuracy": 0.1, "seconds": 0.5 },
        { "epoch": 1, "trainLoss": 1.2, "validationLoss": 1.3, "validationAccuracy": 0.6, "seconds": 0.5 }]
    }
    """);

    private static byte[] SettingsBytes() => Encoding.UTF8.GetBytes(
        """{ "dataset": "synth", "model": "mlp", "hidden": "4x", "lr": "0.01", "seed": "1","""
        + """ "epochs": "20", "command": "adjoint train" }""");
}
