using System.CommandLine;
using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli.Commands;

/// <summary>
/// <c>adjoint new</c>: a project that trains on own data and serves predictions over HTTP, with its test.
/// </summary>
internal static class NewCommand
{
    internal static Command Create(TextWriter output)
    {
        var path = new Argument<string>("name")
        {
            Description = "The name of the project, and of the new folder that it is written into.",
        };
        var kind = SettingOption.Of(new TextSetting("kind")
        {
            Help = "What the project learns from: a table of rows and columns (CSV), or a folder of images.",
            Choices = NewProject.Kinds,
            Default = NewProject.Kinds[0],
        });
        var packages = SettingOption.Of(new TextSetting("packages")
        {
            Help = "A folder of NuGet packages to take Adjoint from, such as that of 'dotnet pack -o packages'.",
            ValueName = "folder",
        });
        var command = new GuidedCommand("new", "Begin a project that learns from your data and serves predictions.",
        [
            ("adjoint new cars", "It predicts a number from the columns of a CSV file."),
            ("adjoint new shapes --kind images", "It tells the classes of images apart."),
        ],
        new OptionGroup("Project", [kind, packages])) { path };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(path)!;
            var project = new NewProject(folder, parsed.GetValue(kind)!, parsed.GetValue(packages));
            project.Write();
            output.WriteLine($"{Printable.Line(folder)}: a project that learns from {project.Data}. Next:");
            output.WriteLine($"  cd {ShellWord.Quote(folder)} && dotnet run --project app -- train");
            output.WriteLine("  dotnet run --project app");
            return 0;
        });
        return command;
    }
}
