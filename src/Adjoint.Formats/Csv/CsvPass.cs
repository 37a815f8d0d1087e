using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>
/// One pass over a file: blocks are cut on the caller's thread, parsed on others, and given in order.
/// </summary>
internal static class CsvPass
{
    internal static IEnumerable<ParsedBlock> Run(
        CsvLayout layout, CsvOptions options, IReadOnlyList<ColumnPlan> plans, FieldRules rules)
    {
        using var source = CsvSource.Open(layout.Path, options.Encoding);
        var blocks = new CsvBlocks(source.Text, layout.Path, layout.Dialect.HasQuotes);
        var parser = new CsvBlockParser(layout, plans, rules);
        var ahead = new Queue<(CsvBlock Block, Task<ParsedBlock> Task)>();
        var rows = 0;
        try
        {
            while (true)
            {
                while (ahead.Count <= Environment.ProcessorCount && blocks.Next() is { } next)
                    ahead.Enqueue((next, Task.Run(() => parser.Parse(next))));
                if (!ahead.TryDequeue(out var first)) yield break;
                var parsed = Result(first.Block, first.Task);
                if (parsed.Rows > 0) yield return parsed;
                rows = checked(rows + parsed.Rows);
            }
        }
        finally
        {
            foreach (var (_, task) in ahead) ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        }

        ParsedBlock Result(CsvBlock block, Task<ParsedBlock> task)
        {
            try
            {
                return task.GetAwaiter().GetResult();
            }
            catch (BadRowException problem)
            {
                throw new DataFormatException($"{layout.Path}, row {rows + problem.Row + 1} (line "
                    + $"{block.FirstLine + problem.Line - 1}): {problem.Message}");
            }
        }
    }
}
