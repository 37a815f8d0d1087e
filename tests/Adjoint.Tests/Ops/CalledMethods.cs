using System.Reflection;
using System.Reflection.Emit;

namespace Adjoint.Tests.Ops;

/// <summary>Which methods a delegate calls, read from its code; what lambdas within it call is among them.</summary>
internal static class CalledMethods
{
    internal static IEnumerable<MethodBase> Of(Delegate call)
    {
        var (open, found) = (new Stack<MethodBase>([call.Method]), new HashSet<MethodBase>());
        while (open.TryPop(out var method))
            foreach (var next in Direct(method))
                if (found.Add(next) && next.DeclaringType!.Assembly == typeof(CalledMethods).Assembly) open.Push(next);
        // A row made by a method of the tests calls what that was given.
        foreach (var captured in call.Target?.GetType()
            .GetFields(BindingFlags.Public | BindingFlags.Instance) ?? [])
            if (captured.GetValue(call.Target) is Delegate inner) found.UnionWith(Of(inner));
        return found;
    }

    private static IEnumerable<MethodBase> Direct(MethodBase method)
    {
        var type = method.DeclaringType!;
        return Instructions.Of(method).Where(one => one.Code.OperandType == OperandType.InlineMethod)
            .Select(one => method.Module.ResolveMethod(one.Operand,
                type.IsGenericType ? type.GetGenericArguments() : null,
                method.IsGenericMethod ? method.GetGenericArguments() : null)!);
    }
}
