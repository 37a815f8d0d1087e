using Adjoint.Bench;

namespace Adjoint.Tests.Bench;

/// <summary>What the benchmark makes of its samples.</summary>
public class VersusTests
{
    private static readonly Workload Product = new("product", 2, Flops: 2e9, Bytes: 0, () => () => { });
    private static readonly Reading Apart = new(100e9, 200e9, 40e9, 60e9), Together = new(100e9, 100e9, 40e9, 40e9);

    // numpy.percentile of the same numbers, 25, 50, 75.
    [Theory]
    [InlineData(new[] { 5.0 }, 5, 5, 5)]
    [InlineData(new[] { 4.0, 1, 3, 2 }, 1.75, 2.5, 3.25)]
    [InlineData(new[] { 9.0, 1, 2, 3, 100 }, 2, 3, 9)]
    public void Quartiles_are_those_of_NumPy(double[] values, double lower, double median, double upper) =>
        Assert.Equal(new Spread(median, lower, upper, values.Length), Spread.Of(values));

    [Theory]
    [InlineData(2.0, 2.0, nameof(Cores.Apart))]
    [InlineData(1.6, 1.9, nameof(Cores.Apart))]
    [InlineData(1.0, 1.0, nameof(Cores.Together))]
    [InlineData(0.9, 1.5, nameof(Cores.Together))]
    // Moved.
    [InlineData(1.0, 2.0, nameof(Cores.Unclear))]
    [InlineData(2.0, 1.0, nameof(Cores.Unclear))]
    // Another process had a processor.
    [InlineData(0.5, 0.5, nameof(Cores.Unclear))]
    [InlineData(2.0, 0.1, nameof(Cores.Unclear))]
    public void Peaks_on_both_sides_of_a_sample_tell_where_its_threads_ran(double before, double after, string cores)
    {
        Reading Of(double ratio) => new(100e9, ratio * 100e9, 40e9, 40e9);
        Assert.Equal(cores, CoresRule.Of(2, Of(before), Of(after)).ToString());
        Assert.Equal(Cores.One, CoresRule.Of(1, Of(before), Of(after)));
    }

    [Fact]
    public void Only_samples_of_the_same_kind_are_compared()
    {
        Sample[] samples =
        [
            new("ours", 1, 20, Cores.One, Apart), new("libtorch", 1, 50, Cores.One, Apart),
            new("ours", 2, 10, Cores.Apart, Apart), new("ours", 2, 12, Cores.Apart, Apart),
            new("libtorch", 2, 33, Cores.Apart, Apart),
            new("ours", 2, 22, Cores.Together, Together), new("libtorch", 2, 66, Cores.Together, Together),
            new("ours", 2, 1, Cores.Unclear, Apart),
            new("libtorch", 2, 1, Cores.Unclear, Apart), new("libtorch", 2, 1, Cores.Unclear, Apart),
        ];
        var rows = Row.Of(Product, samples);
        Assert.Equal([(1, Cores.One, 0), (2, Cores.Together, 3), (2, Cores.Apart, 3)],
            rows.Select(row => (row.Threads, row.Cores, row.Dropped)));
        // 50 / 20; together libtorch is better off on one thread: 50 / 22; apart 33 / 11.
        Assert.Equal([2.5, 50.0 / 22, 3.0], rows.Select(row => row.Ratios["libtorch"]));
        Assert.DoesNotContain("ours", rows[0].Ratios.Keys);
        Assert.Equal(new Spread(11, 10.5, 11.5, 2), rows[2].Sides["ours"].Ms);
    }

    [Fact]
    public void Ours_from_before_is_taken_on_as_many_threads()
    {
        var rows = Row.Of(Product, [new("ours", 2, 20, Cores.Apart, Apart), new("before", 2, 30, Cores.Apart, Apart),
            new("before", 1, 10, Cores.One, Apart)]);
        Assert.Equal(1.5, rows.Single(row => row.Threads == 2).Ratios["before"]);
    }

    [Fact]
    public void Shares_are_of_what_was_measured_beside_the_sample()
    {
        // 2·10⁹ operations in 20 ms are 100 GFLOP/s; 4·10⁸ bytes are 20 GB/s.
        Sample[] samples =
        [
            new("ours", 1, 20, Cores.One, Apart), new("ours", 2, 20, Cores.Apart, Apart),
            new("ours", 2, 20, Cores.Together, Together),
        ];
        Summary[] Ours(Workload work) => [.. Row.Of(work, samples).Select(row => row.Sides["ours"])];
        var multiplied = Ours(Product);
        Assert.Equal([1.0, 1.0, 0.5], multiplied.Select(ours => Math.Round(ours.ShareOfPeak!.Value, 12)));
        Assert.All(multiplied, ours => Assert.Equal(100, ours.Gflops!.Value, 1e-9));
        Assert.All(multiplied, ours => Assert.Null(ours.ShareOfBandwidth));
        var moved = Ours(Product with { Flops = 0, Bytes = 4e8 });
        Assert.Equal([0.5, 0.5, 0.333333333333], moved.Select(ours => Math.Round(ours.ShareOfBandwidth!.Value, 12)));
        Assert.All(moved, ours => Assert.Equal(20, ours.GigabytesPerSecond!.Value, 1e-9));
        Assert.All(moved, ours => Assert.Null(ours.Gflops));
    }

    [Fact]
    public void A_side_without_such_work_is_in_no_ratio()
    {
        var row = Assert.Single(Row.Of(Product, [new("libtorch", 1, 50, Cores.One, Apart)]));
        Assert.Empty(row.Ratios);
        Assert.Empty(Row.Of(Product, [new("ours", 2, 50, Cores.Unclear, Apart)]));
    }

    [Fact]
    public void Options_are_read()
    {
        string[] args = ["--only", "matmul,mlp", "--rounds", "7", "--until-apart", "--against", "there", "--results"];
        var options = VersusOptions.Parse([.. args, "--name", "new"]);
        Assert.Equal(["matmul", "mlp"], options.Only!);
        Assert.Equal((7, 60.0, "there"), (options.Rounds, options.UntilApart, options.Against));
        Assert.Equal((true, null, "new"), (options.Results, options.Folder, options.Name));
        Assert.Equal(90.5, VersusOptions.Parse(["--until-apart", "90.5"]).UntilApart);
        Assert.Equal("here", VersusOptions.Parse(["--results", "here"]).Folder);
        Assert.Null(VersusOptions.Parse([]).UntilApart);
    }

    [Theory]
    [InlineData("there is no option '--round'", "--round", "7")]
    [InlineData("there is no option 'matmul'", "matmul")]
    [InlineData("--rounds needs a value", "--rounds", "--alone")]
    [InlineData("--rounds: a number above 0 is needed, found '0'", "--rounds", "0")]
    [InlineData("--until-apart: a number above 0 is needed, found 'long'", "--until-apart", "long")]
    public void What_is_no_option_is_refused(string message, params string[] args) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => VersusOptions.Parse(args)).Message);

    [Theory]
    [InlineData("AuthenticAMD", 25, "AMD EPYC", "avx2 avx512f", "AMD EPYC (Zen 4)", "amd-epyc-zen4-avx512")]
    [InlineData("AuthenticAMD", 26, "AMD EPYC", "avx2 avx512f", "AMD EPYC (Zen 5)", "amd-epyc-zen5-avx512")]
    [InlineData("AuthenticAMD", 25, "AMD Ryzen 9 5950X 16-Core Processor", "fpu avx2",
        "AMD Ryzen 9 5950X 16-Core Processor (Zen 3)", "amd-ryzen-9-5950x-zen3-avx2")]
    [InlineData("GenuineIntel", 6, "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "avx2 avx512f",
        "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "intel-xeon-platinum-8481c-avx512")]
    public void A_processor_has_a_folder(
        string vendor, int family, string model, string flags, string name, string folder)
    {
        var text = $"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel name\t: {model}\nflags\t\t: {flags}\npower:";
        Assert.Equal(new Processor(name, folder), Processor.Parse(text.Split('\n')));
    }

    // The examples of protobuf's documentation of its encoding.
    [Fact]
    public void Protobuf_is_written_as_documented()
    {
        Assert.Equal([0x08, 0x96, 0x01], new ProtobufWriter().Add(1, 150).ToArray());
        Assert.Equal([0x12, 0x07, .. "testing"u8], new ProtobufWriter().Add(2, "testing").ToArray());
        var inner = new ProtobufWriter().Add(1, 150);
        Assert.Equal([0x1a, 0x03, 0x08, 0x96, 0x01], new ProtobufWriter().Add(3, inner).ToArray());
        Assert.Equal("08FEFFFFFFFFFFFFFFFF01", Convert.ToHexString(new ProtobufWriter().Add(1, -2).ToArray()));
    }
}
