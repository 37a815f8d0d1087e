namespace Adjoint.Tests.Memory;

public class SuggestionTests
{
    [Theory]
    [InlineData("rleu", "relu tanh gelu", "relu")]
    [InlineData("conv1.wieght", "conv1.bias conv1.weight fc.weight", "conv1.weight")]
    [InlineData("module.features.0.conv.weight", "features.0.conv.weight features.1.conv.weight",
        "features.0.conv.weight")]
    [InlineData("fc.weight", "model.head.weight model.fc.weight", "model.fc.weight")]
    [InlineData("encoder.0.attention.bias", "0.norm.weight 0.attention.bias", "0.attention.bias")]
    [InlineData("weight", "a.much.longer.weight", null)]
    [InlineData("xconv1.weight.of.others", "conv1.weight.of", null)]
    [InlineData("x", "y", null)]
    [InlineData("relu", "", null)]
    public void The_nearest_name_is_the_one_with_the_fewest_edits_or_the_same_end(
        string word, string valid, string? expected) =>
        Assert.Equal(expected, Suggestion.Nearest(word, valid.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void Random_names_of_seed_5_have_the_fewest_edits_of_the_definition()
    {
        var random = new Random(5);
        for (var round = 0; round < 200; round++)
        {
            var valid = Enumerable.Range(0, 8).Select(_ => Word()).ToArray();
            var word = Word();
            var near = valid.Where(one => Distance(word, one) <= Math.Min(one.Length - 1, Math.Max(2, one.Length / 3)))
                .ToArray();
            Assert.Equal(near.MinBy(one => Distance(word, one)), Suggestion.Nearest(word, valid));
        }

        string Word() => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abc"[random.Next(3)]));

        // By its recursive definition.
        static int Distance(string a, string b) => a.Length == 0 || b.Length == 0 ? a.Length + b.Length
            : a[0] == b[0] ? Distance(a[1..], b[1..])
            : 1 + Math.Min(Distance(a[1..], b[1..]), Math.Min(Distance(a[1..], b), Distance(a, b[1..])));
    }
}
