package org.sparkqlora.cli;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.spark.TrainRegistrator;

/** The Spark session of this process. */
final class Sessions {
    private static final String MASTER = "spark.master";

    private Sessions() {}

    /** The session that is there, or a new one: on this machine's cores, unless spark-submit named a master. */
    static JavaSparkContext context(String command) {
        SparkConf conf = new SparkConf();
        conf.setIfMissing(MASTER, "local[*]");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        conf.setIfMissing("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
        conf.setIfMissing("spark.kryo.registrator", TrainRegistrator.class.getName());
        SparkSession session = SparkSession.builder()
                .appName("spark-qlora " + command)
                .config(conf)
                .getOrCreate();
        return JavaSparkContext.fromSparkContext(session.sparkContext());
    }

    /** Ends the session, if there is one. Not for Databricks, where it belongs to the cluster. */
    static void stop() {
        SparkSession.getActiveSession().foreach(session -> {
            session.stop();
            return null;
        });
    }
}
