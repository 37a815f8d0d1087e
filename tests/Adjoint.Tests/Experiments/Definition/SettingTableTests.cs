using Adjoint.Experiments;

namespace Adjoint.Tests.Experiments;

/// <summary>What follows from rows, on a small table of its own.</summary>
public sealed class SettingTableTests
{
    private readonly SettingTable table = new("width", "shape");
    private readonly TextSetting shape;
    private readonly NumberSetting<double> width, height;

    public SettingTableTests()
    {
        height = table.Add(new NumberSetting<double>("height")
        {
            Help = "Height.",
            Range = new() { Above = 0 },
            Default = new("the width", s => s.Get(width!)),
            Idle = s => s.Get(shape!) == "line" ? "does nothing for a line" : null,
            Off = "1",
        });
        shape = table.Add(new TextSetting("shape")
        {
            Help = "Shape:",
            Choices = ["box", "line"],
            Default = "box",
            Conflict = s => s.Get(width!) == 13 ? "nothing is 13 wide; use 12" : null,
        });
        width = table.Add(new NumberSetting<double>("width") { Help = "Width.", Default = 2 });
    }

    [Fact]
    public void A_default_follows_another_setting_wherever_its_row_is()
    {
        Assert.Equal((2, 2), (Read().Get(width), Read().Get(height)));
        Assert.Equal((5, 5), (Read(("width", "5")).Get(width), Read(("width", "5")).Get(height)));
        // What was filled in stays when another is changed.
        Assert.Equal(2, Read().With(width, 7).Get(height));
    }

    [Fact]
    public void Files_state_old_settings_always_and_new_ones_only_where_they_are_not_at_their_defaults()
    {
        Assert.Equal([("width", "2"), ("shape", "box")], Read().Identity());
        Assert.Equal([("width", "2"), ("shape", "box"), ("height", "3")], Read(("height", "3")).Identity());
        Assert.Equal([("width", "3"), ("shape", "box")], Read(("height", "3"), ("width", "3")).Identity());
    }

    [Fact]
    public void What_has_no_effect_is_refused_unless_it_asks_for_nothing_or_was_noted()
    {
        AssertRefused("height: does nothing for a line; leave it out", ("shape", "line"), ("height", "3"));
        Assert.Equal(1, Read(("shape", "line"), ("height", "1")).Get(height));
        var noted = table.Read([new("shape", "line"), new("height", "3")], isNoted: true);
        Assert.Equal([("width", "2"), ("shape", "line")], noted.Rows());
        Assert.Equal([("width", "2"), ("shape", "line"), ("height", "3")], noted.Identity());
    }

    [Theory]
    [InlineData("width", "13", "shape: nothing is 13 wide; use 12")]
    [InlineData("height", "0", "height: 0 is out of range; use above 0")]
    [InlineData("height", "", "height: is empty; give it a value")]
    [InlineData("shape", "lin", "shape: 'lin' is none of box, line; did you mean 'line'?")]
    [InlineData("weight", "3", "weight: no such setting; did you mean 'height'?")]
    public void What_is_wrong_is_refused(string name, string text, string message) =>
        AssertRefused(message, (name, text));

    [Fact]
    public void A_name_is_given_once() =>
        Assert.Contains("there is a setting 'width' already",
            Assert.Throws<ArgumentException>(() => table.Add(new FlagSetting("width") { Help = "Width." })).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("at least 1", 1, null, null, null, "1 2", "0 0.99")]
    [InlineData("0 to 100", 0, 100, null, null, "0 100", "-1 101")]
    [InlineData("above 0, at most 1", null, 1, 0, null, "0.1 1", "0 1.1")]
    [InlineData("at least 0, below 1", 0, null, null, 1, "0 0.9", "-0.1 1")]
    public void A_range_says_what_it_holds(string words, int? least, int? most, int? above, int? below, string inside,
        string outside)
    {
        var range = new NumberRange { AtLeast = least, AtMost = most, Above = above, Below = below };
        Assert.Equal(words, range.ToString());
        Assert.All(Numbers(inside), number => Assert.True(range.Contains(number), $"{number}"));
        Assert.All(Numbers(outside), number => Assert.False(range.Contains(number), $"{number}"));
        Assert.Equal("words", (range with { Words = "words" }).ToString());

        static IEnumerable<double> Numbers(string list) => list.Split(' ').Select(double.Parse);
    }

    private SettingValues Read(params (string Name, string Text)[] given) =>
        table.Read(given.Select(one => KeyValuePair.Create(one.Name, one.Text)));

    private void AssertRefused(string message, params (string Name, string Text)[] given) =>
        Assert.Equal(message, Assert.Throws<SettingException>(() => Read(given)).Message);
}
