using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class ShellWordTests
{
    [Theory]
    [InlineData("runs/a-1", "runs/a-1", "runs/a-1")]
    [InlineData("my run", "'my run'", "\"my run\"")]
    [InlineData("", "''", "\"\"")]
    [InlineData(@"C:\runs\a", @"'C:\runs\a'", @"C:\runs\a")]
    [InlineData("a'b", @"'a'\''b'", "\"a'b\"")]
    [InlineData("$HOME", "'$HOME'", "\"$HOME\"")]
    [InlineData("größe", "größe", "größe")]
    public void Words_are_quoted_as_each_shell_reads_them(string text, string unix, string windows)
    {
        Assert.Equal(unix, ShellWord.Quote(text, hasWindowsShell: false));
        Assert.Equal(windows, ShellWord.Quote(text, hasWindowsShell: true));
    }
}
