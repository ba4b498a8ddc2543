package org.sparkqlora.cli;

import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.spark.SparkLine;
import org.sparkqlora.spark.TaskCores;
import org.sparkqlora.spark.TrainRegistrator;
import scala.Option;
import scala.Tuple2;

/** The Spark session of this process. */
final class Sessions {
    private static final String MASTER = "spark.master";
    private static final String HADOOP = "spark.hadoop.";

    private Sessions() {}

    /** Whether this process is the application master of YARN, which is told so by its submitter. */
    static boolean isInsideYarn() {
        return System.getProperty(MASTER, "").equals("yarn")
                && System.getProperty("spark.submit.deployMode", "").equals("cluster");
    }

    /**
     * The session that is there, or a new one: on this machine's cores, unless spark-submit named a master.
     *
     * @throws IllegalArgumentException if this is not the Spark that the jar is built for, or a new one could run no task
     */
    static JavaSparkContext context(String command) {
        SparkLine.check();
        SparkConf conf = new SparkConf();
        conf.setIfMissing(MASTER, "local[*]");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        conf.setIfMissing("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
        conf.setIfMissing("spark.kryo.registrator", TrainRegistrator.class.getName());
        conf.setIfMissing("spark.kryoserializer.buffer.max", "2047m");
        if (SparkSession.getDefaultSession().isEmpty()) {
            TaskCores.check(conf);
        }

        SparkSession session = SparkSession.builder()
                .appName("spark-qlora " + command)
                .config(conf)
                .getOrCreate();
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }

    /** How Hadoop's file systems are set up: as the session says, or will say. */
    static Configuration hadoop() {
        Option<SparkSession> session = SparkSession.getDefaultSession();
        if (session.isDefined() && !session.get().sparkContext().isStopped()) {
            return session.get().sparkContext().hadoopConfiguration();
        }

        Configuration configuration = new Configuration();
        for (Tuple2<String, String> entry : new SparkConf().getAllWithPrefix(HADOOP)) {
            configuration.set(entry._1(), entry._2());
        }

        return configuration;
    }

    /** Ends the session, if there is one. Not for Databricks, where it belongs to the cluster. */
    static void stop() {
        SparkSession.getActiveSession().foreach(session -> {
            session.stop();
            return null;
        });
    }
}
