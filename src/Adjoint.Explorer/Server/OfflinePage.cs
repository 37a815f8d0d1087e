using System.Text;
using System.Xml.Linq;

namespace Adjoint.Explorer;

/// <summary>
/// The page as one file that works without a server and without a network: the same modules, and every answer that the
/// server would give about this graph. What would be endless is limited: rules are taken apart for a few elements, and
/// partial sums are kept only of gradients.
/// </summary>
internal static class OfflinePage
{
    private const int ElementsEach = 12;
    private const int LargestCheck = 500_000;

    internal static byte[] Create(Exploration page, ComputationGraph graph, string title, string version)
    {
        var answers = new List<(string Address, byte[] Json)>
        {
            ("graph", JsonNumbers.ToBytes(json => GraphJson.Write(json, graph, title, version))),
        };
        foreach (var tensor in graph.Tensors)
        {
            answers.Add(($"tensor?id={tensor.Id}&which=value", page.Tensor(tensor.Id, "value", null)));
            if (tensor.Gradient is null) continue;
            answers.Add(($"tensor?id={tensor.Id}&which=gradient", page.Tensor(tensor.Id, "gradient", null)));
            for (var arrived = 1; arrived < tensor.Contributions.Count; arrived++)
                answers.Add(($"tensor?id={tensor.Id}&which=gradient&arrived={arrived}",
                    page.Tensor(tensor.Id, "gradient", arrived)));
        }
        foreach (var op in graph.Ops) AddOp(answers, page, op);
        // The JSON writer leaves no "<" in strings, so no text can end the script.
        var json = JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            foreach (var (address, answer) in answers)
            {
                json.WritePropertyName(address);
                json.WriteRawValue(answer, skipInputValidation: true);
            }
            json.WriteEndObject();
        });
        var data = new XElement("script", new XAttribute("type", "application/json"), new XAttribute("id", "answers"),
            Encoding.UTF8.GetString(json));
        return Encoding.UTF8.GetBytes(PageFiles.Explorer.Index(
            name => $"data:text/javascript;base64,{Convert.ToBase64String(PageFiles.Explorer.Read(name)!)}",
            [new XElement("style", PageFiles.ReadText("page/style.css"))], data));
    }

    private static void AddOp(List<(string, byte[])> answers, Exploration page, OpItem op)
    {
        var size = op.Inputs.Concat(op.Outputs).Sum(item => (long)item.Tensor.Length);
        if (size > LargestCheck) return;
        foreach (var element in Some(op.Outputs[0].Tensor.Length))
            Add($"parts?op={op.Id}&element={element}", () => page.Parts(op.Id, element));
        if (op.WayBack is not { } trace) return;
        Add($"check?op={op.Id}", () => page.Check(op.Id));
        for (var i = 0; i < op.Inputs.Count; i++)
            if (trace.Contributions[i] is not null)
                foreach (var element in Some(op.Inputs[i].Tensor.Length))
                    Add($"rule?op={op.Id}&input={i}&element={element}", () => page.Rule(op.Id, i, element));

        void Add(string address, Func<byte[]> answer)
        {
            try
            {
                answers.Add((address, answer()));
            }
            catch (AdjointException error)
            {
                answers.Add((address, JsonNumbers.ToBytes(json =>
                {
                    json.WriteStartObject();
                    json.WriteString("error", error.Message);
                    json.WriteEndObject();
                })));
            }
        }
    }

    private static IEnumerable<int> Some(int length) => Enumerable.Range(0, Math.Min(length, ElementsEach));
}
