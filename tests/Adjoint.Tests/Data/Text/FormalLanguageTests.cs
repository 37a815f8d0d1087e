using System.Text.RegularExpressions;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>
/// Formal languages against parsers that share nothing with them: brackets are right where taking pairs out leaves
/// nothing, sums where integers say so; what can come next is what some whole string goes on with.
/// </summary>
public sealed partial class FormalLanguageTests
{
    private static readonly Lazy<HashSet<string>> AllSums = new(() => [.. Sums(3, 9)]);

    public static TheoryData<string> Names() => ["brackets", "arithmetic"];

    [Theory, InlineData(1, 1, 2), InlineData(1, 3, 8), InlineData(2, 2, 6), InlineData(2, 3, 7), InlineData(3, 1, 4)]
    public void What_follows_a_beginning_is_what_some_string_of_brackets_goes_on_with(int kinds, int depth, int length)
    {
        var language = new BracketLanguage(kinds, depth, length);
        var all = Strings(language.Symbols, length).ToArray();
        CompareNext(language, all, [.. all.Where(text => AreBrackets(text, depth, length))]);
    }

    [Theory, InlineData(2, 3), InlineData(2, 12), InlineData(3, 9), InlineData(4, 1)]
    public void What_follows_a_beginning_is_what_some_sum_goes_on_with(int terms, int largest) =>
        CompareNext(new ArithmeticLanguage(terms, largest), [.. Strings("+0123=", 4), "1+1=2=", "12+1=131", "01+1=2",
            "5555555555", "1-1=0", "1+ 1=2", "1+1+1=3", "1+1=3"], [.. Sums(terms, largest)]);

    // The determined places once more, by trying every symbol and the shortest way to a whole string from there.
    [Theory, MemberData(nameof(Names))]
    public void Windows_hold_strings_of_the_language_and_mark_what_is_determined(string name)
    {
        var language = Language(name);
        var splits = language.Create(40, seed: 5, train: 300, validation: 60);
        foreach (var part in (Dataset[])[splits.Train, splits.Validation])
        {
            var text = Assert.IsType<CharacterText>(part.Preprocessing);
            Assert.Equal(string.Concat(language.Symbols.Append('\n').Order()), text.Characters);
            foreach (var (inputs, targets, determined) in Windows(part))
            {
                Assert.Equal(inputs[1..], targets[..^1]);
                var strings = (inputs + targets[^1]).Split('\n');
                Assert.All(strings[..^1], one => Assert.True(IsWhole(name, one), one));
                Assert.Contains(Ways(name, strings[^1]), ways => ways > 0);
                var start = 0;
                for (var i = 0; i < inputs.Length; i++)
                {
                    if (inputs[i] == '\n') start = i + 1;
                    var prefix = inputs[start..(i + 1)];
                    var possible = (language.Symbols + '\n').Where(symbol => CanGoOn(name, prefix, symbol)).ToArray();
                    Assert.Contains(targets[i], possible);
                    Assert.True(determined[i] == (possible.Length == 1), $"{prefix} → {new string(possible)}");
                }
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void No_string_of_validation_is_in_training_whatever_the_seeds(string name)
    {
        var seed = (ulong)Environment.TickCount64;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var train = Strings(Language(name).Create(60, seed, 1500, 1).Train);
        var validation = Strings(Language(name).Create(60, seed + 1, 1, 500).Validation);
        Assert.True(train.Count > 500 && validation.Count > 50, $"{train.Count} and {validation.Count} strings");
        Assert.Empty(train.Intersect(validation));
        Assert.All(validation, one => Assert.True(FormalLanguage.IsForValidation(one), one));
    }

    [Fact]
    public void One_string_in_ten_is_for_validation() =>
        Assert.InRange(Sums(2, 99).Count(one => FormalLanguage.IsForValidation(one)), 900, 1100);

    [Theory, MemberData(nameof(Names))]
    public void Equal_seeds_give_equal_windows_and_more_of_them_begin_with_the_same(string name)
    {
        string[] Texts(ulong seed, int count) =>
            [.. Windows(Language(name).Create(20, seed, count, 1).Train).Select(window => window.Inputs)];
        Assert.Equal(Texts(1, 30), Texts(1, 50)[..30]);
        Assert.NotEqual(Texts(1, 30), Texts(2, 30));
    }

    // Otherwise the accuracy there would say nothing: the best guess from the symbol before alone.
    [Theory, MemberData(nameof(Names))]
    public void What_is_determined_cannot_be_known_from_the_symbol_before(string name)
    {
        var pairs = Windows(Language(name).Create(60, train: 500).Train).SelectMany(window =>
            Enumerable.Range(0, 60).Where(i => window.Determined[i]).Select(i => (window.Inputs[i], window.Targets[i])))
            .ToArray();
        var right = pairs.GroupBy(pair => pair.Item1).Sum(group => group.CountBy(pair => pair.Item2).Max(one =>
            one.Value));
        Assert.InRange((double)pairs.Length / (500 * 60), 0.15, 0.7);
        Assert.InRange((double)right / pairs.Length, 0, 0.7);
    }

    [Fact]
    public void Sizes_out_of_range_are_refused()
    {
        string Fails(Func<object> call) => Assert.Throws<AdjointException>(call).Message;
        Assert.Equal("BracketLanguage: 1 to 4 kinds, a depth from 1 and a length from 2 are needed: found 5, 6 and 24",
            Fails(() => new BracketLanguage(kinds: 5)));
        Assert.Contains("found 4, 0 and 24", Fails(() => new BracketLanguage(depth: 0)), StringComparison.Ordinal);
        Assert.Contains("found 4, 6 and 1", Fails(() => new BracketLanguage(length: 1)), StringComparison.Ordinal);
        Assert.Equal("ArithmeticLanguage: 2 to 100 terms from 0 to 1, or to 999999 at most, are needed: found 1 terms "
            + "to 9", Fails(() => new ArithmeticLanguage(1)));
        Assert.Contains("found 101 terms to 9", Fails(() => new ArithmeticLanguage(101)), StringComparison.Ordinal);
        Assert.Contains("found 3 terms to 0", Fails(() => new ArithmeticLanguage(3, 0)), StringComparison.Ordinal);
        Assert.Contains("to 1000000", Fails(() => new ArithmeticLanguage(3, 1_000_000)), StringComparison.Ordinal);
        Assert.Equal("brackets: the length of windows and their numbers must be positive: found 0, 1 and 1",
            Fails(() => new BracketLanguage().Create(0, 0, 1, 1)));
        Assert.Contains("found 1, 0 and 1", Fails(() => new BracketLanguage().Create(1, 0, 0, 1)),
            StringComparison.Ordinal);
        Assert.Contains("found 1, 1 and -1", Fails(() => new BracketLanguage().Create(1, 0, 1, -1)),
            StringComparison.Ordinal);
    }

    private static FormalLanguage Language(string name) =>
        name == "brackets" ? new BracketLanguage() : new ArithmeticLanguage();

    private static bool IsWhole(string name, string text) => name == "brackets"
        ? AreBrackets(text, 6, 24)
        : AllSums.Value.Contains(text);

    // The whole strings that begin so: of brackets the shortest alone, which closes what is open; of sums all.
    private static IEnumerable<string> Completions(string name, string prefix)
    {
        if (name == "brackets")
        {
            var left = prefix;
            while (Pair().IsMatch(left)) left = Pair().Replace(left, "");
            yield return prefix + string.Concat(left.Reverse().Select(symbol => symbol switch
            {
                '(' => ')',
                '[' => ']',
                '{' => '}',
                _ => '>',
            }));
            yield break;
        }
        foreach (var sum in AllSums.Value)
            if (sum.StartsWith(prefix, StringComparison.Ordinal)) yield return sum;
    }

    private static IEnumerable<string> Sums(int terms, int largest, string before = "", int sum = 0) => terms == 0
        ? [$"{before[..^1]}={sum}"]
        : Enumerable.Range(0, largest + 1).SelectMany(term => Sums(terms - 1, largest, $"{before}{term}+", sum + term));

    private static IEnumerable<int> Ways(string name, string prefix) =>
        [prefix == "" ? 1 : Completions(name, prefix).Count(text => IsWhole(name, text))];

    private static bool CanGoOn(string name, string prefix, char symbol) => symbol == '\n'
        ? IsWhole(name, prefix)
        : Completions(name, prefix + symbol).Any(text => IsWhole(name, text));

    // One pair outside; of what is in it, nothing is left when pairs without anything in between are taken out, a level
    // at a time.
    private static bool AreBrackets(string text, int depth, int length)
    {
        if (text.Length < 2 || text.Length > length || !Pair().IsMatch($"{text[0]}{text[^1]}")) return false;
        var (left, levels) = (text[1..^1], 1);
        for (; Pair().IsMatch(left); levels++) left = Pair().Replace(left, "");
        return left == "" && levels <= depth;
    }

    private static void CompareNext(FormalLanguage language, string[] beginnings, string[] strings)
    {
        Assert.NotEmpty(strings);
        foreach (var prefix in beginnings.Concat(strings).Prepend(""))
        {
            var expected = strings.Where(text => text.StartsWith(prefix, StringComparison.Ordinal))
                .Select(text => text.Length == prefix.Length ? '\n' : text[prefix.Length]).Distinct().Order();
            Assert.Equal(string.Concat(expected), string.Concat(language.Next(prefix).Order()));
        }
    }

    private static IEnumerable<string> Strings(string symbols, int length) => length == 0 ? [""] :
        Strings(symbols, length - 1).SelectMany(text => text.Length == length - 1
            ? symbols.Select(symbol => text + symbol).Prepend(text) : [text]);

    private static HashSet<string> Strings(Dataset part) =>
        [.. Windows(part).SelectMany(window => (window.Inputs + window.Targets[^1]).Split('\n')[..^1])];

    private static IEnumerable<(string Inputs, string Targets, bool[] Determined)> Windows(Dataset part)
    {
        var text = (CharacterText)part.Preprocessing!;
        for (var i = 0; i < part.Count; i++)
        {
            string Decode(string field) =>
                text.Decode(Array.ConvertAll(part[i][field].ToArray<long>(), token => (int)token));
            yield return (Decode("inputs"), Decode("targets"), part[i]["determined"].ToArray<bool>());
        }
    }

    [GeneratedRegex(@"\(\)|\[\]|\{\}|<>")]
    private static partial Regex Pair();
}
