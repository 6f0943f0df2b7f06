Console.Error.WriteLine("not written yet");
