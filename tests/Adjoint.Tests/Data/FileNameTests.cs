using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class FileNameTests
{
    [Theory]
    [InlineData("run-1")]
    [InlineData("größe.json")]
    [InlineData("console")]
    [InlineData("com")]
    [InlineData("com10")]
    [InlineData(".lock")]
    [InlineData("a b")]
    public void Names_that_every_system_takes_have_no_problem(string name) => Assert.Null(FileName.Problem(name));

    [Theory]
    [InlineData("", "the name is empty")]
    [InlineData("a/b", "it has '/'")]
    [InlineData(@"a\b", @"it has '\'")]
    [InlineData("batch:64", "it has ':'")]
    [InlineData("a?", "it has '?'")]
    [InlineData("a\0b", "it has a control character")]
    [InlineData("a\nb", "it has a control character")]
    [InlineData("run.", "it ends with a period or a space")]
    [InlineData("run ", "it ends with a period or a space")]
    [InlineData("..", "it ends with a period or a space")]
    [InlineData("con", "it is the name of a device on Windows")]
    [InlineData("Aux", "it is the name of a device on Windows")]
    [InlineData("nul.txt", "it is the name of a device on Windows")]
    [InlineData("nul .txt", "it is the name of a device on Windows")]
    [InlineData("LPT1", "it is the name of a device on Windows")]
    [InlineData("com²", "it is the name of a device on Windows")]
    public void Names_that_some_system_refuses_have_one(string name, string problem) =>
        Assert.Equal(problem, FileName.Problem(name));

    [Fact]
    public void Lengths_are_counted_in_bytes()
    {
        Assert.Null(FileName.Problem(new string('a', 255)));
        Assert.Equal("it is 256 bytes long; names have at most 255", FileName.Problem(new string('ä', 128)));
    }

    // The names of the library's own files and folders, for what a run, an experiment, a cache or a lock consists of.
    [Theory]
    [InlineData("checkpoint-00000001.safetensors")]
    [InlineData("20261125-235959-cifar10-2")]
    [InlineData(".adjoint-4711-1-machine.local.tmp")]
    [InlineData(".holder")]
    [InlineData("train-images-idx3-ubyte.gz")]
    public void Own_names_are_taken_everywhere(string name) => Assert.Null(FileName.Problem(name));
}
