using Adjoint.Cli;

Console.SetError(new MessageWriter(Console.Error));
return Tool.Run(args, Console.Out, Console.Error);
