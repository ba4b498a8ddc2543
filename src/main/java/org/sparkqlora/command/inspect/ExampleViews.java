package org.sparkqlora.command.inspect;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.Utf8Lines;
import org.sparkqlora.options.Console;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TrainOn;

/** Prints examples as training sees them: the text that a template made, its ids, and which of them are trained. */
record ExampleViews(Path model, @Nullable Path chatTemplate, RecordFormat format, TrainOn trainOn) {
    /** Prints a JSON line for each record of {@code file}. */
    public void print(Path file, Console console) {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(model, chatTemplate, List.of())) {
            AtomicLong number = new AtomicLong();
            Utf8Lines.each(file, line -> {
                number.incrementAndGet();
                if (!line.isBlank()) {
                    console.result(view(tokenizer, file, number.get(), line));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private String view(ModelTokenizer tokenizer, Path file, long number, String line) {
        try {
            Example example = ExampleJson.read(line, format);
            ExampleEncoder encoder = new ExampleEncoder(tokenizer, trainOn);
            return InspectionJson.example(text(tokenizer, encoder, example), encoder.encode(example));
        } catch (BadRecordException e) {
            throw new BadRecordException("Cannot render %s:%d: %s".formatted(file, number, e.getMessage()), e);
        }
    }

    private static String text(ModelTokenizer tokenizer, ExampleEncoder encoder, Example example) {
        if (example instanceof Conversation conversation) {
            return encoder.render(conversation);
        }

        if (example instanceof PromptCompletion pair) {
            return pair.prompt() + pair.completion();
        }

        return example instanceof PlainText plain
                ? plain.text()
                : tokenizer.decodeWithSpecials(encoder.encode(example).ids());
    }
}
