fun betas(): List<String> = System.getenv("BETAS").split(",")
