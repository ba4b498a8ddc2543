package org.sparkqlora.cli;

import org.sparkqlora.command.ExitCode;

/** Entry point: {@code spark-submit spark-qlora.jar COMMAND ...}. Refers to no class of Spark, so that it can say where Spark is not there. */
public final class Main {
    private static final String SPARK = "org.apache.spark.SparkContext";

    private Main() {}

    public static void main(String[] args) throws Exception {
        if (Main.class.getClassLoader().getResource(SPARK.replace('.', '/') + ".class") == null) {
            System.err.println("spark-qlora: Cannot start: expected to be started by spark-submit, found no Spark. Run"
                    + " 'spark-submit spark-qlora.jar COMMAND', or 'spark-qlora COMMAND' of the Python package."
                    + " 'pip install pyspark==3.5.9' brings a spark-submit.");
            System.exit(ExitCode.USAGE.code());
        }

        Program.main(args);
    }
}
