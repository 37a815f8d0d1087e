using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class NameMapTests
{
    [Theory]
    [InlineData("module.**=**", "module.layer1.0.conv1.weight", "layer1.0.conv1.weight")]
    [InlineData("module.**=**", "modules.conv1.weight", "modules.conv1.weight")]
    [InlineData("**=backbone.**", "conv1.weight", "backbone.conv1.weight")]
    [InlineData("fc.*=head.*", "fc.weight", "head.weight")]
    [InlineData("fc.*=head.*", "fc.0.weight", "fc.0.weight")]
    [InlineData("fc.*=head.*", "a.fc.weight", "a.fc.weight")]
    [InlineData("conv1.weight=stem.weight", "conv1.weight", "stem.weight")]
    [InlineData("h.*.attn.**=blocks.*.attention.**", "h.11.attn.c_proj.bias", "blocks.11.attention.c_proj.bias")]
    [InlineData("**.gamma=**.weight", "encoder.3.norm.gamma", "encoder.3.norm.weight")]
    [InlineData("**.gamma=**.weight", "gamma", "weight")]
    [InlineData("**.norm.**=**.ln.**", "a.norm.b.norm.weight", "a.ln.b.norm.weight")]
    [InlineData("**.norm.*=**.ln.*", "a.norm.b.norm.weight", "a.norm.b.ln.weight")]
    [InlineData("layer_*.**=layers.*.**", "layer_12.w", "layers.12.w")]
    [InlineData("layer_*.**=layers.*.**", "layer_.w", "layer_.w")]
    [InlineData("conv*_*.weight=c.*.*.weight", "conv3_1_2.weight", "c.3.1_2.weight")]
    [InlineData("*.*=**", "a.b", null)]
    [InlineData("a.*=b", "a.b", null)]
    [InlineData("a.x**=b.x**", "a.b", null)]
    [InlineData("a", "a", null)]
    [InlineData("a=", "a", null)]
    [InlineData("=a", "a", null)]
    [InlineData("a.**=**", "a", null)]
    [InlineData("a.b=c.d", "a.b.c", "a.b.c")]
    [InlineData("**.**=**.x.**", "a.b", "x.a.b")]
    [InlineData("*=x*", "", "")]
    public void A_rule_keeps_what_its_signs_stood_for(string rule, string name, string? expected)
    {
        string Renamed() => NameMap.Parse([rule]).Apply(name);
        if (expected is not null) Assert.Equal(expected, Renamed());
        else Assert.StartsWith("NameMap: ", Assert.Throws<AdjointException>(Renamed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_rule_that_fits_counts_and_names_come_before_patterns()
    {
        var map = NameMap.Parse(["fc.*=head.*", "**=net.**", "fc.bias=b", "a=b.w", "b.w=a"]);
        Assert.Equal(["head.weight", "b", "net.conv.w", "b.w", "a"],
            ((string[])["fc.weight", "fc.bias", "conv.w", "a", "b.w"]).Select(map.Apply));
        var error = Assert.Throws<AdjointException>(() => map.Add("a", "c"));
        Assert.Equal("NameMap: 'a' is renamed to 'b.w' already; leave one of the two rules out", error.Message);
    }

    [Fact]
    public void States_keep_tensors_and_order_and_no_two_names_become_one()
    {
        var (a, b) = (Tensor.Zeros(1), Tensor.Zeros(2));
        var state = new Dictionary<string, Tensor> { ["module.a"] = a, ["b"] = b };
        var renamed = new NameMap().Add("module.**", "**").Apply(state);
        Assert.Equal(["a", "b"], renamed.Keys);
        Assert.Same(a, renamed["a"]);
        var error = Assert.Throws<AdjointException>(() => new NameMap().Add("module.a", "b").Apply(state));
        Assert.Equal("NameMap: 'module.a' and 'b' both become 'b'; rename one of them differently", error.Message);
    }

    [Fact]
    public void A_pattern_of_many_signs_takes_no_time_on_a_long_name()
    {
        var name = string.Join('.', Enumerable.Repeat("a", 5_000)) + ".b";
        var pattern = string.Join('.', Enumerable.Repeat("**.a", 20)) + ".**.c";
        Assert.False(NameMap.Fits(pattern, name));
        Assert.True(NameMap.Fits(pattern[..^1] + "b", name));
        Assert.True(NameMap.Fits("a", "a"));
        Assert.False(NameMap.Fits("a", "a.a"));
        Assert.False(NameMap.Fits(string.Concat(Enumerable.Repeat("*a", 20)), new string('a', 5_000) + "b"));
    }

    // Against a plain search through all ways to divide a name.
    [Fact]
    public void Random_patterns_of_seed_3_fit_as_their_definition_says()
    {
        var random = new Random(3);
        var fitted = 0;
        for (var round = 0; round < 1500; round++)
        {
            var pattern = Text(["**", "*", "a", "b", "a*", "*b", "*a*"]);
            var name = Text(["a", "b", "ab", "aab", "ba"]);
            Assert.Equal(Fit(pattern.Split('.'), name.Split('.')), NameMap.Fits(pattern, name));
            if (NameMap.Fits(pattern, name)) fitted++;
            // What the signs stood for, put back, is the name itself.
            Assert.Equal(name, new NameMap().Add(pattern, pattern).Apply(name));
        }
        Assert.InRange(fitted, 100, 1400);

        string Text(string[] parts) =>
            string.Join('.', Enumerable.Range(0, random.Next(1, 6)).Select(_ => parts[random.Next(parts.Length)]));

        static bool Fit(ReadOnlySpan<string> pattern, ReadOnlySpan<string> name)
        {
            if (pattern.IsEmpty) return name.IsEmpty;
            if (pattern[0] != "**")
                return !name.IsEmpty && FitPart(pattern[0], name[0]) && Fit(pattern[1..], name[1..]);
            for (var taken = 0; taken <= name.Length; taken++)
                if (Fit(pattern[1..], name[taken..])) return true;
            return false;
        }

        static bool FitPart(ReadOnlySpan<char> pattern, ReadOnlySpan<char> part)
        {
            if (pattern.IsEmpty) return part.IsEmpty;
            if (pattern[0] != '*') return !part.IsEmpty && part[0] == pattern[0] && FitPart(pattern[1..], part[1..]);
            for (var taken = 1; taken <= part.Length; taken++)
                if (FitPart(pattern[1..], part[taken..])) return true;
            return false;
        }
    }
}
