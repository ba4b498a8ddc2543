package org.sparkqlora.ml;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.ChildJvm;

/** A process that reads a stored pipeline and prints what it answers. */
final class StoredPipeline {
    private static final String MARK = "answer: ";

    private StoredPipeline() {}

    public static void main(String[] arguments) throws IOException {
        try (SparkSession session = PirateFits.session()) {
            PipelineModel.load(arguments[0])
                    .transform(session.read().json(arguments[1]))
                    .select("answer")
                    .collectAsList()
                    .forEach(row -> System.out.println(MARK + row.getString(0)));
        }
    }

    /** Answers of a new process by the pipeline in {@code path}, to the rows of JSON lines in {@code data}. */
    static List<String> answersOfAnotherProcess(Path path, Path data) throws Exception {
        List<String> command =
                ChildJvm.command(List.of(), StoredPipeline.class, List.of(path.toString(), data.toString()));
        Process child = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        child.getOutputStream().close();
        List<String> lines = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        if (child.waitFor() != 0) {
            throw new IllegalStateException("The other process failed: " + lines);
        }

        return lines.stream()
                .filter(line -> line.startsWith(MARK))
                .map(line -> line.substring(MARK.length()))
                .toList();
    }
}
