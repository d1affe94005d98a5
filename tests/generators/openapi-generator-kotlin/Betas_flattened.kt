fun betas(): String = System.getenv("BETAS")
